package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/desk/canary"
	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// The person of the bundled file who asks for their data, and then to be forgotten.
const (
	person = "wilhelmina.quill@example.org"
	name   = "Wilhelmina Quill"
)

// ask opens a request and waits until the desk has fulfilled it.
func (d *demo) ask(ctx context.Context, kind privacyrequest.Kind) (api.Request, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var opened api.RequestOpened
	if err := d.post(ctx, "/requests", api.RequestNew{Kind: kind, Email: person}, &opened); err != nil {
		return api.Request{}, err
	}
	for {
		var r api.Request
		err := d.call(ctx, http.MethodGet, "/requests/"+opened.ID.String(), nil, &r)
		var problem *client.Problem
		switch {
		case err == nil && !r.FulfilledAt.IsZero():
			return r, nil
		case err != nil && (!errors.As(err, &problem) || problem.Status != http.StatusNotFound): // not projected yet
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (d *demo) access(ctx context.Context) (string, error) {
	r, err := d.ask(ctx, privacyrequest.Access)
	if err != nil {
		return "", err
	}
	bundle, err := d.download(ctx, "/requests/"+r.ID.String()+"/bundle")
	if err != nil {
		return "", err
	}
	if !json.Valid(bundle) || !bytes.Contains(bundle, []byte(person)) || !bytes.Contains(bundle, []byte(name)) {
		return "", errors.New("the bundle does not hold the person's data")
	}
	return fmt.Sprintf("one person asked for their data: %d events, a bundle of %d kB", r.Access.Events, (len(bundle)+1023)/1024), nil
}

func (d *demo) erase(ctx context.Context) (string, error) {
	r, err := d.ask(ctx, privacyrequest.Erasure)
	if err != nil {
		return "", err
	}
	hits, err := canary.Search(d.dir+"/data", []string{person, name})
	if err != nil {
		return "", err
	}
	d.Erased, d.PlaintextAfter = 1, len(hits)
	if len(hits) > 0 {
		return "", fmt.Errorf("the person is still to be found: %d times, first in %s", len(hits), hits[0].File)
	}
	var problem *client.Problem
	err = d.post(ctx, "/subscribers/find", api.SubscriberQuery{Email: person}, nil)
	if !errors.As(err, &problem) || problem.Status != http.StatusNotFound {
		return "", fmt.Errorf("the erased person is still found: %w", err)
	}
	return fmt.Sprintf("the same person asked to be erased: %d keys destroyed, %d events unreadable, 0 traces in the bytes of any file",
		r.Erasure.Keys, r.Erasure.Events), nil
}

// rebuild folds the whole log anew and compares every row with the live ones.
func (d *demo) rebuild(ctx context.Context) (string, error) {
	if err := d.settled(ctx); err != nil {
		return "", err
	}
	all, err := d.engine.Models.Compare(ctx, nil)
	if err != nil {
		return "", err
	}
	rows := 0
	for _, c := range all {
		if !c.Equal() {
			return "", fmt.Errorf("projection %s: rebuilt differs from live", c.Name)
		}
		rows += c.Rows
	}
	d.RebuildEqual = true
	return fmt.Sprintf("%d projections rebuilt from the first event: %d rows, equal to the live ones byte for byte", len(all), rows), nil
}
