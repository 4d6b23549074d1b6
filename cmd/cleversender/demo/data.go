package demo

import _ "embed"

// The bundled data: people who do not exist, and a letter to them.
var (
	//go:embed data/contacts.csv
	contacts []byte
	//go:embed data/newsletter.html
	newsletterHTML string
	//go:embed data/newsletter.txt
	newsletterText string
)

const subject = `{{ name | default: "Dear reader" }}, three books for May 📚`
