// Package catalog lists every event the engine can store.
package catalog

import (
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/domain/template"
)

// All is the wire contract as a whole.
var All = event.NewCatalog(
	account.Events, list.Events, subscriber.Events, consent.Events, bounce.Events, contactimport.Events,
	template.Events, campaign.Events, delivery.Events, engagement.Events, privacyrequest.Events, message.Events,
	signing.Events,
)
