package generate

import "strings"

// faults is one line for every way that a row can be bad, by the code that an
// import gives it.
var faults = []string{
	",Nobody,Without,Oslo,,free,\n",                                              // no_address
	"not-an-address,Ann,Lee,Leeds,,free,\n",                                      // bad_address
	"ann lee@example.org,Ann,Lee,Leeds,,free,\n",                                 // address_has_controls
	"ann@nowhere,Ann,Lee,Leeds,,free,\n",                                         // bad_domain
	strings.Repeat("a", 65) + "@example.org,Ann,Lee,Leeds,,free,\n",              // address_too_long
	"tom@example.org,\"Tom\nBcc: x\",Hall,Leeds,,free,\n",                        // bad_text
	"kim@example.org," + strings.Repeat("Kim ", 60) + ",Hall,Leeds,,free,\n",     // text_too_long
	"eve@example.org,Eve,Hall,Leeds,,free,next week\n",                           // bad_time
	"joe@example.org,Joe,Hall,Leeds,\"Joe's \"Diner\" Ltd\",free,\n",             // bare_quote
	"sam@example.org,\"Sam,Hall,Leeds,,free,\n",                                  // unclosed_quote
	"max@example.org,Max,Hall,Leeds, Yorkshire,Max Ltd,free,2024-01-01,,extra\n", // too_many_columns
	"pia@example.org,P\xeda,Hall,Leeds,,free,\n",                                 // bad_encoding
	"lou@example.org,Lou,Hall,Leeds," + strings.Repeat("x", 65<<10) + ",free,\n", // row_too_long
}

// FaultCodes is the code of each kind of bad row, in the order they come.
var FaultCodes = []string{
	"no_address", "bad_address", "address_has_controls", "bad_domain", "address_too_long", "bad_text", "text_too_long",
	"bad_time", "bare_quote", "unclosed_quote", "too_many_columns", "bad_encoding", "row_too_long",
}
