package message

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// TrialOf is what a test of a campaign says of it; whom it goes to is to be added.
func TrialOf(id domain.ID, s campaign.Settings) Requested {
	return Requested{Kind: Test, Campaign: id, Template: s.Template, FromName: s.FromName, FromEmail: s.FromEmail, ReplyTo: s.ReplyTo}
}
