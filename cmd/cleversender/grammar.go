package main

import "github.com/cleversender/cleversender/cmd/cleversender/engine"

// grammar is the command line. Verbs live in the file of their noun.
type grammar struct {
	Globals

	Init        initVerb        `cmd:"" help:"Make a data folder: keys, the first account, its first token."`
	Serve       serveVerb       `cmd:"" help:"Serve API, dashboard, tracking and sending from a data folder."`
	Demo        demoVerb        `cmd:"" help:"Run the main job on bundled data: from a CSV to an erased person."`
	Import      importVerb      `cmd:"" help:"Import contacts from a CSV file (plain or gzip; - is standard input)."`
	Account     accountVerbs    `cmd:"" help:"Accounts and their tokens."`
	List        listVerbs       `cmd:"" help:"Mailing lists."`
	Subscriber  subscriberVerbs `cmd:"" help:"People, and what is held about them."`
	Consent     consentVerbs    `cmd:"" help:"What people agreed to, and how we know."`
	Template    templateVerbs   `cmd:"" help:"Templates (Liquid)."`
	Campaign    campaignVerbs   `cmd:"" help:"Campaigns, from draft to report."`
	Message     messageVerbs    `cmd:"" help:"Messages outside campaigns, each to one person."`
	Dkim        dkimVerbs       `cmd:"" help:"The keys that domains sign their mail with (DKIM)."`
	Request     requestVerbs    `cmd:"" help:"Privacy requests of data subjects."`
	Projections projectionVerbs `cmd:"" help:"Read models: how they do, build them anew."`
	Keys        keyVerbs        `cmd:"" help:"The keys that wrap people's keys, epoch by epoch."`
	Events      eventsVerb      `cmd:"" help:"Read the log. Personal values are shown only with --reveal."`
	Health      healthVerb      `cmd:"" help:"Say whether the server does its whole job: exit code 0, 1 when it does not, 5 when none answers."`
	Bench       benchVerb       `cmd:"" help:"Measure, beside the limit of the machine."`
	BenchPart   benchPartVerb   `cmd:"" hidden:""`
	Version     versionVerb     `cmd:"" help:"Say which version this is."`
}

// Globals are the flags that every verb takes.
type Globals struct {
	Data    string `help:"Data folder, opened when no server is named." default:"data" env:"CLEVERSENDER_DATA" type:"path"`
	RootKey string `help:"Root key: file:///path or env://NAME. Without it, root.key in the data folder." env:"CLEVERSENDER_ROOT_KEY"`
	engine.Stores
	Server string `help:"Address of a running server, such as http://127.0.0.1:8080." env:"CLEVERSENDER_SERVER"`
	Token  string `help:"Bearer token of the account." env:"CLEVERSENDER_TOKEN"`
	DNS    string `help:"off: preflight asks no DNS." enum:"on,off" default:"on" env:"CLEVERSENDER_DNS" name:"dns"`
	JSON   bool   `help:"Answer with JSON, one object on a line." name:"json"`
}
