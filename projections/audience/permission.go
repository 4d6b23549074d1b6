package audience

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

// Permission is what one person allows, and the data it takes to use it, sealed.
type Permission struct {
	Withhold      delivery.Reason // "": may be mailed
	List          domain.ID       // the one they are mailed for
	Consent       event.Position  // of the event that allows it
	Changed       event.Position  // of the last event about the person
	OpenTracking  bool
	ClickTracking bool
	Email, Name   personal.Text
	Attributes    personal.Fields
	SealedBy      domain.ID // the event that Email, Name and Attributes come from
}

// Permissions says of each person whether and how they may be mailed, in the
// order asked, each for the first of the lists that allows it. Archived lists
// and those of other accounts allow nothing. Of several reasons to withhold the
// first counts: erased, restricted, objected, suppressed, revoked, unconfirmed,
// no consent.
func Permissions(ctx context.Context, r projections.Reader, account domain.ID, lists, persons []domain.ID) ([]Permission, error) {
	list := listCache(ctx, r, account)
	out := make([]Permission, len(persons))
	rows, err := rowsOf(ctx, r, account, persons)
	if err != nil {
		return nil, err
	}
	var p person
	for i, row := range rows {
		if row == nil {
			out[i].Withhold = delivery.Erased
			continue
		}
		if err := p.read(row); err != nil {
			return nil, err
		}
		if out[i], err = p.permission(lists, list); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *person) permission(lists []domain.ID, list func(domain.ID) (List, error)) (Permission, error) {
	allowed := Permission{Withhold: s.holdsBack()}
	for _, id := range lists {
		l, err := list(id)
		if err != nil {
			return allowed, err
		}
		m := s.on(id)
		if l.Archived || m == nil {
			continue
		}
		switch standing := s.standing(m, l.DoubleOptIn); {
		case standing == Mailable:
			return Permission{
				List: id, Consent: m.at, Changed: s.changed, OpenTracking: s.allows(consent.OpenTracking), ClickTracking: s.allows(consent.ClickTracking),
				Email: s.Email, Name: s.Name, Attributes: s.Attributes, SealedBy: s.SealedBy,
			}, nil
		case standing == Revoked:
			allowed.Withhold = delivery.Revoked
		case standing == Unconfirmed && allowed.Withhold == delivery.NoConsent:
			allowed.Withhold = delivery.Unconfirmed
		}
	}
	return allowed, nil
}

// allows reports whether a consent for the account as a whole is in force.
func (s *person) allows(p consent.Purpose) bool { return s.answers[purpose(p)].inForce(false) > 0 }

// holdsBack is why whoever is mailable on no list is not mailed, before any list
// is looked at. What holds somebody back shows on their lists, too (standing):
// none of those says revoked or unconfirmed and so replaces it.
func (p *Person) holdsBack() delivery.Reason {
	standing := make(subscriber.Standing, len(p.Holds))
	for i, h := range p.Holds {
		standing[i] = h.Hold
	}
	return cmp.Or(standing.Withhold(subscriber.Marketing), delivery.NoConsent)
}

// MemberIDs returns up to limit people who are on at least one of the lists,
// each once, in id order, after one; none: that was all. Whether they may be
// mailed is Permissions' to say. Archived lists and those of other accounts
// have nobody.
func MemberIDs(ctx context.Context, r projections.Reader, account domain.ID, lists []domain.ID, after domain.ID, limit int) ([]domain.ID, error) {
	var ids []domain.ID
	for _, id := range lists {
		l, found, err := FindList(ctx, r, account, id)
		if err != nil {
			return nil, err
		}
		if !found || l.Archived {
			continue
		}
		rows, err := r.Scan(ctx, members, []any{id[:]}, past(after), limit)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			ids = append(ids, row.ID(1))
		}
	}
	slices.SortFunc(ids, func(a, b domain.ID) int { return bytes.Compare(a[:], b[:]) })
	ids = slices.Compact(ids)
	return ids[:min(limit, len(ids))], nil
}
