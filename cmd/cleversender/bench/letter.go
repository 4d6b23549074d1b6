package bench

import "strings"

const letterSubject = "{{ name }}, three books for a long evening"

// letterHTML is a page that comes to a message of about 6 kB: with a name,
// three links, and what makes a newsletter long. Its text part is made from it.
var letterHTML = `<!doctype html><html><body style="margin:0;font:16px/1.5 Georgia,serif;color:#222">
<h1 style="font-size:22px">Good evening, {{ name }}</h1>
` + strings.Join([]string{paragraph("first"), paragraph("second"), paragraph("third")}, "\n") + `
<p style="font-size:13px;color:#666">You get this letter because you asked for it.
<a href="{{ unsubscribe_url }}">Leave this list</a>.</p>
</body></html>`

func paragraph(which string) string {
	return `<h2 style="font-size:18px">The ` + which + ` book</h2>
<p>The lighthouse had been dark for eleven years when somebody lit it again, and nobody in the village would say who. What follows is
a story of tides and ledgers, told by the one person who had reason to keep quiet, in sentences that never hurry and never stand still.
We read it twice before we put it on the shelf, and the second time it was another book. There is a storm in it, a wedding that
does not happen, and a dog who knows more than she says.</p>
<p>It has three hundred pages and one map. <a href="https://books.example.org/` + which + `?from=letter">Read the first chapter</a></p>`
}
