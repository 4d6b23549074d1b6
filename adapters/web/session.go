package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/projections/tokens"
)

// Sessions live in memory: a restart signs everybody out. A session is only
// ever worth as much as its token, which is looked up for every page.
const (
	sessionTime = 12 * time.Hour
	maxSessions = 10_000
	cookieName  = "cleversender_session"
)

// session is one browser's.
type session struct {
	tokenHash string
	account   domain.ID
	token     domain.ID
	name      string // of the account
	ends      time.Time
}

// sessions are found by the hash of the cookie, so that no memory dump or
// timing gives a cookie away.
type sessions struct {
	mu   sync.Mutex
	byID map[[32]byte]session
}

func (s *sessions) add(se session, now time.Time) (cookie string) {
	cookie = rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil || len(s.byID) >= maxSessions {
		s.byID = map[[32]byte]session{}
	}
	for id, old := range s.byID {
		if now.After(old.ends) {
			delete(s.byID, id)
		}
	}
	s.byID[sha256.Sum256([]byte(cookie))] = se
	return cookie
}

func (s *sessions) find(cookie string, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	se, found := s.byID[sha256.Sum256([]byte(cookie))]
	return se, found && now.Before(se.ends)
}

func (s *sessions) end(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, sha256.Sum256([]byte(cookie)))
}

// page is a handler for who is signed in. Its error becomes an error page.
type page func(w http.ResponseWriter, r *http.Request, who session) error

// signedIn serves a page, or sends the browser to sign in.
func (s *site) signedIn(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, found := session{}, false
		if cookie, err := r.Cookie(cookieName); err == nil {
			who, found = s.sessions.find(cookie.Value, s.Now())
		}
		if found {
			_, err := s.holder(r.Context(), who.tokenHash)
			if errors.Is(err, errNoToken) {
				found = false
			} else if err != nil {
				s.fail(w, r, who, err)
				return
			}
		}
		if !found {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		if r.Method == http.MethodPost && r.Pattern != uploadPattern {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		}
		if err := p(w, r, who); err != nil {
			s.fail(w, r, who, err)
		}
	}
}

var errNoToken = domain.Refuse("unauthenticated", "This is no token that holds. Check that you copied all of it.")

// holder is the account token of which this is the SHA-256, hex.
func (s *site) holder(ctx context.Context, hash string) (tokens.Token, error) {
	t, found, err := tokens.ByHash(ctx, s.Models.Reader(tokens.Projection.Name), hash)
	if err == nil && (!found || !t.RevokedAt.IsZero() || !slices.Contains(t.Scopes, account.ScopeAccount)) {
		err = errNoToken
	}
	return t, err
}

func (s *site) loginPage(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "login", view{Title: "Sign in"})
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	sum := sha256.Sum256([]byte(strings.TrimSpace(r.PostFormValue("token"))))
	hash := hex.EncodeToString(sum[:])
	t, err := s.holder(r.Context(), hash)
	if err != nil {
		var refusal domain.Refusal
		if !errors.As(err, &refusal) {
			s.fail(w, r, session{}, err)
			return
		}
		s.render(w, r, http.StatusUnauthorized, "login", view{Title: "Sign in", Error: refusal.Reason})
		return
	}
	a, _, err := tokens.FindAccount(r.Context(), s.Models.Reader(tokens.Projection.Name), t.Account)
	if err != nil {
		s.fail(w, r, session{}, err)
		return
	}
	se := session{tokenHash: hash, account: t.Account, token: t.ID, name: a.Name, ends: s.Now().Add(sessionTime)}
	s.setCookie(w, r, s.sessions.add(se, s.Now()), int(sessionTime/time.Second))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *site) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		s.sessions.end(cookie.Value)
	}
	s.setCookie(w, r, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *site) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.Secure || r.TLS != nil,
	})
}
