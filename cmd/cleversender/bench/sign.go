package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
)

// plainHost has no key: what is sent from it is not signed.
const plainHost = "plain.example"

// sendSigned sends the same campaign three times to the same people: unsigned,
// signed by host, unsigned. Bare signatures are made beside the signed one. What
// it reports is the signed one, and what signing adds to the processor time of a
// message, projections included, beside a bare signature.
func (b *bench) sendSigned(ctx context.Context, to *mailServer, host string) (sent, projected Report, err error) {
	if err := b.sign(ctx, host); err != nil {
		return sent, projected, err
	}
	quiet := *b
	quiet.CPUProfile = ""
	_, before, err := quiet.sendTo(ctx, to, plainHost)
	if err != nil {
		return sent, projected, err
	}
	bare, err := beside(ctx, func() (err error) {
		sent, projected, err = b.sendTo(ctx, to, host)
		return err
	})
	if err != nil {
		return sent, projected, err
	}
	_, after, err := quiet.sendTo(ctx, to, plainHost)
	if err != nil {
		return sent, projected, err
	}
	plain, rsa := (before.CPUPerUnit+after.CPUPerUnit)/2, perUnit(bare.CPU, bare.Made)
	added := projected.CPUPerUnit - plain
	for name, value := range map[string]float64{
		"plain_us": plain, "rsa_us": rsa, "dkim_added_us": added, "added_to_rsa": added / rsa, "whole_to_rsa": projected.CPUPerUnit / rsa,
	} {
		sent.Extra[name] = float64(int(value*1000+0.5)) / 1000
	}
	sent.Extra["rsa_made"] = bare.Made
	return sent, projected, nil
}

// sign makes an RSA key of 2048 bits that signs what is sent from a host.
func (b *bench) sign(ctx context.Context, host string) error {
	var made api.DKIMKeyMade
	if err := b.api.Call(ctx, http.MethodPost, "/dkim-keys", api.DKIMKeyNew{Domain: host}, &made); err != nil {
		return err
	}
	return b.api.Call(ctx, http.MethodPost, "/dkim-keys/"+made.Domain+"/"+made.Selector+"/activate", nil, nil)
}

// signatures is how many bare RSA signatures of 2048 bits were made, and what
// all of them took of the processor.
type signatures struct {
	Made int
	CPU  time.Duration
}

// beside makes bare signatures while something is done, a few now and then: the
// pace of a machine changes within seconds, and two threads of one core take
// longer for each than one alone.
func beside(ctx context.Context, do func() error) (made signatures, err error) {
	p, err := startPart(ctx, "signer")
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	if err := do(); err != nil {
		return made, err
	}
	return made, p.ask(struct{}{}, &made)
}

// What is made at a time, and the pause before more: a twentieth of one thread.
const (
	someSignatures = 5
	signerPause    = 100 * time.Millisecond
)

// serveSigner makes signatures until it is asked how many.
func serveSigner(in *json.Decoder, out *json.Encoder) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	asked := make(chan error, 1)
	go func() { asked <- in.Decode(&struct{}{}) }()
	for s := (signatures{}); ; {
		if err := s.more(key); err != nil {
			return err
		}
		select {
		case err := <-asked:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return errors.Join(err, out.Encode(s))
		case <-time.After(signerPause):
		}
	}
}

func (s *signatures) more(key *rsa.PrivateKey) error {
	before := cpuTime()
	for range someSignatures {
		hash := sha256.Sum256([]byte{byte(s.Made)})
		if _, err := key.Sign(rand.Reader, hash[:], crypto.SHA256); err != nil {
			return err
		}
		s.Made++
	}
	s.CPU += cpuTime() - before
	return nil
}
