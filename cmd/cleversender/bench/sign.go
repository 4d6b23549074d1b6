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

// sign has the campaign's messages signed with an RSA key of 2048 bits.
func (c letter) sign(ctx context.Context, host string) error {
	var made api.DKIMKeyMade
	if err := c.api.Call(ctx, http.MethodPost, "/dkim-keys", api.DKIMKeyNew{Domain: host}, &made); err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, "/dkim-keys/"+made.Domain+"/"+made.Selector+"/activate", nil)
}

// signatures is what each of some bare RSA signatures of 2048 bits takes of the
// processor, when all cores make them as they do for a campaign.
func signatures() (each time.Duration, err error) {
	const perCore = 300
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return 0, err
	}
	cores := runtime.GOMAXPROCS(0)
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

// besideRSA adds to a report what the signatures alone take of each message's
// processor time, and how much all the rest is beside that.
func (r *Report) besideRSA() error {
	each, err := signatures()
	if err != nil {
		return err
	}
	us := perUnit(each, 1)
	r.Extra["rsa_us"], r.Extra["rest_to_rsa"] = us, float64(int((r.CPUPerUnit/us-1)*1000+0.5))/1000
	return nil
}
