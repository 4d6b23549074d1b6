package eventstoredb

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/cleversender/cleversender/domain"
)

// What a URL is refused for.
var (
	ErrURL = domain.Refuse("eventstoredb_url",
		"the URL of EventStoreDB has to be esdb://HOST:PORT or esdb+discover://HOST:PORT,…, with the settings that its clients know")
	ErrPlainCredentials = domain.Refuse("eventstoredb_credentials_need_tls",
		"the URL of EventStoreDB holds credentials and says tls=false: they would not be sent; leave one of the two out")
)

const limitSetting = "maxAppendSize"

// settings is what a URL says.
type settings struct {
	client *esdb.Configuration
	limit  int // bytes of an append that the server takes
}

// parse reads a connection string of EventStoreDB. maxAppendSize is ours: the
// server's setting of that name. Errors never hold the URL, which may hold a password.
func parse(text string) (settings, error) {
	text, limit, err := takeLimit(text)
	if err != nil {
		return settings{}, err
	}
	c, err := esdb.ParseConnectionString(text)
	if err != nil {
		return settings{}, ErrURL
	}
	if c.Username != "" && c.DisableTLS {
		return settings{}, ErrPlainCredentials
	}
	if len(c.GossipSeeds) > 0 {
		c.DnsDiscover = false // the client would look for an address, and there is none
	}
	// What was acknowledged is seen by who asks afterwards: the leader answers.
	c.NodePreference = esdb.NodePreferenceLeader
	c.Logger = esdb.NoopLogging() // the client would write to standard output
	return settings{c, limit}, nil
}

// takeLimit takes our own setting out, of which the client knows nothing.
func takeLimit(text string) (rest string, limit int, err error) {
	rest, query, ok := strings.Cut(text, "?")
	if !ok {
		return rest, defaultLimit, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", 0, ErrURL
	}
	limit = defaultLimit
	if said := values.Get(limitSetting); said != "" {
		if limit, err = strconv.Atoi(said); err != nil || limit < 1 {
			return "", 0, fmt.Errorf("%s: %w", limitSetting, ErrURL)
		}
	}
	values.Del(limitSetting)
	return rest + "?" + values.Encode(), limit, nil
}
