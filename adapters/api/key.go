package api

import (
	"context"
	"net/http"
)

// Keys is the epochs of the keyring: which key-encryption key wraps the keys of people.
type Keys interface {
	// Epoch is the one in force.
	Epoch() int
	// NewEpoch wraps every living key anew, and returns the epoch that is in force now.
	NewEpoch(ctx context.Context) (epoch int, err error)
	// DestroyEpoch destroys a key-encryption key that wraps nothing any more.
	DestroyEpoch(ctx context.Context, epoch int) error
}

// KeyEpoch is a key-encryption key's term. Once an old one is destroyed, no
// backup of the keys that was made in it can be opened.
type KeyEpoch struct {
	Epoch int `json:"epoch"`
}

func (s *Server) keyRoutes() {
	add(s, operatorRoute(http.MethodGet, "/keys/epoch", "get-key-epoch", "operation", "Show the epoch that people's keys are wrapped in"),
		func(context.Context, *struct{}) (*Shown[KeyEpoch], error) {
			return &Shown[KeyEpoch]{KeyEpoch{s.deps.Keys.Epoch()}}, nil
		})
	add(s, operatorRoute(http.MethodPost, "/keys/epochs", "new-key-epoch", "operation", "Begin a new epoch: wrap every living key anew"),
		func(ctx context.Context, _ *struct{}) (*Shown[KeyEpoch], error) {
			epoch, err := s.deps.Keys.NewEpoch(ctx)
			return &Shown[KeyEpoch]{KeyEpoch{epoch}}, err
		})
	add(s, operatorRoute(http.MethodDelete, "/keys/epochs/{epoch}", "destroy-key-epoch", "operation", "Destroy an old epoch: no backup of keys from it can be opened again"),
		func(ctx context.Context, in *struct {
			Epoch int `path:"epoch" minimum:"1"`
		}) (*struct{}, error) {
			return nil, s.deps.Keys.DestroyEpoch(ctx, in.Epoch)
		})
}
