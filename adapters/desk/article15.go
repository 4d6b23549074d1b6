package desk

// processing is what GDPR Art. 15(1) asks for beside the data itself, as far
// as the engine knows it. The controller may know more, and adds it.
type processing struct {
	Purposes   []string `json:"purposes"`
	Categories []string `json:"categories"`
	Recipients []string `json:"recipients"`
	Transfers  string   `json:"transfers"`
	Retention  []string `json:"retention"`
	Rights     []string `json:"rights"`
	Complaint  string   `json:"complaint"`
	Source     string   `json:"source"`
	Automated  string   `json:"automated_decisions"`
}

var articleFifteen = processing{
	Purposes: []string{
		"mailing: sending the messages of the lists named here, while consent is in force",
		"single messages: sending what the person asked for, such as a receipt, or a test to an address that the account names",
		"open_tracking, click_tracking: counting who opened a message and which links were followed, while consent is in force",
		"evidence: showing that consent was given, and honouring that it was withdrawn (GDPR Art. 7(1), 7(3))",
		"suppression: sending nothing to an address that takes no mail, or to somebody who complained, objected or is restricted",
	},
	Categories: []string{
		"identity: e-mail address, name, attributes",
		"behaviour: opens and clicks with time, IP address and client; replies of mail servers",
		"evidence: answers about consent with time, method, wording, IP address and client",
	},
	Recipients: []string{
		"the account named here (the controller) and its staff",
		"the operator of this installation (the processor), to run it",
		"the mail servers that carry the messages to the person's address",
	},
	Transfers: "None is made by the software beyond the mail servers that the person's address leads to.",
	Retention: []string{
		"Data is kept until the person is erased, or the account ends.",
		"After an erasure a keyed hash of the address stays, so that the address is not added again.",
	},
	Rights: []string{
		"rectification (GDPR Art. 16)", "erasure (Art. 17)", "restriction (Art. 18)",
		"portability: this document (Art. 20)", "objection (Art. 21)", "withdrawal of consent at any time (Art. 7(3))",
	},
	Complaint: "A complaint can be lodged with a supervisory authority (GDPR Art. 77).",
	Source:    "See sources: where the data was not given by the person, it names the import and its row.",
	Automated: "There are no automated decisions with legal or similarly significant effects (GDPR Art. 22).",
}
