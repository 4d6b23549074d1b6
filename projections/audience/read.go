package audience

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

// Person is somebody whose data an account holds. An erased person is nobody.
type Person struct {
	Account, ID   domain.ID
	Email, Name   personal.Text // sealed
	Attributes    personal.Fields
	SealedBy      domain.ID // the event that Email, Name and Attributes come from
	Source        subscriber.Source
	AddedAt       time.Time
	OpenTracking  event.Position // of the event that put this consent in force; 0: not in force
	ClickTracking event.Position
	Profiling     event.Position
	PolicyNotices event.Position
	Lists         []Member // in the order they came onto them
}

// Member is a person on a list.
type Member struct {
	List, Person domain.ID
	Standing     Standing
	Consent      event.Position // of the event that allows mail; 0: none may be sent
	Since        time.Time
}

// Standing is what a member's consent to mail comes to. Names are API.
type Standing string

const (
	Mailable    Standing = "mailable"
	Unconfirmed Standing = "unconfirmed" // agreed or asked to, and has yet to confirm
	Revoked     Standing = "revoked"
	Silent      Standing = "no_consent" // on the list, and never agreed to mail
)

// List is a mailing list and how many people are on it.
type List struct {
	Account, ID domain.ID
	Name        string
	DoubleOptIn bool
	Archived    bool
	CreatedAt   time.Time
	Counts      Counts
}

// Counts adds up to Members.
type Counts struct {
	Members, Mailable, Unconfirmed, Revoked, Silent int
}

// Permission is what one person allows, and the data it takes to use it, sealed.
type Permission struct {
	Withhold      delivery.Reason // "": may be mailed
	List          domain.ID       // the one they are mailed for
	Consent       event.Position  // of the event that allows it
	OpenTracking  bool
	ClickTracking bool
	Email, Name   personal.Text
	Attributes    personal.Fields
	SealedBy      domain.ID // the event that Email, Name and Attributes come from
}

// Find returns a person of the account.
func Find(ctx context.Context, r projections.Reader, account, person domain.ID) (p Person, found bool, err error) {
	return Person{}, false, nil
}

// People returns up to limit people of the account in id order, after one (zero: from the start).
func People(ctx context.Context, r projections.Reader, account, after domain.ID, limit int) ([]Person, error) {
	return nil, nil
}

// Members returns up to limit members of a list in id order, after one. The
// caller has made sure (FindList) that the list is the account's.
func Members(ctx context.Context, r projections.Reader, list, after domain.ID, limit int) ([]Member, error) {
	return nil, nil
}

// Lists returns up to limit lists of the account, archived ones too, in id order, after one.
func Lists(ctx context.Context, r projections.Reader, account, after domain.ID, limit int) ([]List, error) {
	return nil, nil
}

// FindList returns a list of the account.
func FindList(ctx context.Context, r projections.Reader, account, list domain.ID) (l List, found bool, err error) {
	return List{}, false, nil
}

// CountPeople is how many people the account holds data of.
func CountPeople(ctx context.Context, r projections.Reader, account domain.ID) (int, error) {
	return 0, nil
}

// MailableIDs returns up to limit people whom at least one of the lists may
// mail, each once, in id order, after one; none: that was all.
func MailableIDs(ctx context.Context, r projections.Reader, account domain.ID, lists []domain.ID, after domain.ID, limit int) ([]domain.ID, error) {
	return nil, nil
}

// Permissions says of each person whether and how they may be mailed, in the
// order asked, each for the first of the lists that allows it.
func Permissions(ctx context.Context, r projections.Reader, account domain.ID, lists, people []domain.ID) ([]Permission, error) {
	return nil, nil
}
