package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cleversender/cleversender/adapters/api"
)

// plainHost has no key: what is sent from it is not signed.
const plainHost = "plain.example"

// sendSigned sends the same campaign three times to the same people: unsigned,
// signed by host, unsigned. Bare signatures are made before and after the
// signed one. What it reports is the signed one, and what signing adds to the
// processor time of a message, projections included, beside a bare signature.
func (b *bench) sendSigned(ctx context.Context, to *mailServer, host string) (sent, projected Report, err error) {
	if err := b.sign(ctx, host); err != nil {
		return sent, projected, err
	}
	var plain, rsa float64
	unsigned := func() error {
		quiet := *b
		quiet.CPUProfile = ""
		_, r, err := quiet.sendTo(ctx, to, plainHost)
		plain += r.CPUPerUnit / 2
		return err
	}
	bare := func() error {
		each, err := signatures(min(b.Size, maxSignatures))
		rsa += perUnit(each, 1) / 2
		return err
	}
	signed := func() (err error) {
		sent, projected, err = b.sendTo(ctx, to, host)
		return err
	}
	for _, step := range []func() error{unsigned, bare, signed, bare, unsigned} {
		if err := step(); err != nil {
			return sent, projected, err
		}
	}
	added := projected.CPUPerUnit - plain
	for name, value := range map[string]float64{
		"plain_us": plain, "rsa_us": rsa, "dkim_added_us": added, "added_to_rsa": added / rsa, "whole_to_rsa": projected.CPUPerUnit / rsa,
	} {
		sent.Extra[name] = float64(int(value*1000+0.5)) / 1000
	}
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

// maxSignatures bounds how long the bare signatures take.
const maxSignatures = 3000

// signatures is what each of n bare RSA signatures of 2048 bits takes of the
// processor, when all cores make them as they do for a campaign: two threads of
// one core take longer for each than one alone.
func signatures(n int) (each time.Duration, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return 0, err
	}
	cores := runtime.GOMAXPROCS(0)
	perCore := (n + cores - 1) / cores
	runtime.GC()
	before := cpuTime()
	var all errgroup.Group
	for range cores {
		all.Go(func() error {
			for i := range perCore {
				hash := sha256.Sum256([]byte{byte(i)})
				if _, err := key.Sign(rand.Reader, hash[:], crypto.SHA256); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = all.Wait()
	return (cpuTime() - before) / time.Duration(perCore*cores), err
}
