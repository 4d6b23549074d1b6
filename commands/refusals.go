package commands

import "github.com/cleversender/cleversender/domain"

// Refusals that many commands share. Texts are refused as bad_text,
// text_too_long and text_missing, each naming the field.
var (
	ErrExists     = domain.Refuse("already_exists", "it exists already, with other content")
	ErrErased     = domain.Refuse("subject_erased", "the person has been erased")
	ErrNobody     = domain.Refuse("person_required", "name the person that it is about")
	ErrListNeeded = domain.Refuse("list_required", "name the list")
	ErrListless   = domain.Refuse("list_not_expected", "this purpose holds for the account as a whole: leave the list out")
	ErrPurpose    = domain.Refuse("unknown_purpose", "there is no such purpose of consent")
	ErrMethod     = domain.Refuse("unknown_method", "there is no such way of answering")
	ErrSource     = domain.Refuse("unknown_source", "there is no such source of data")
	ErrBadNumber  = domain.Refuse("bad_number", "a count or an index is out of its range")
	ErrBadTime    = domain.Refuse("bad_time", "the time is out of range")
)
