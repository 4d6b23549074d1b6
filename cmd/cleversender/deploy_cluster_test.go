package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

// cluster checks that nodes of KurrentDB know each other, and that any node of
// ours may be lost.
func (c compose) cluster(t *testing.T) {
	var seeds []string
	holders := map[engine.Role]int{}
	nodes := 0
	for name, s := range c.Services {
		if s.Environment["KURRENTDB_CLUSTER_SIZE"] != "" {
			seeds = append(seeds, name+":2113")
		}
		if cli, verb := (grammar{}), ""; s.ours() {
			if cli, verb = parsed(t, s.Command, s.environment(t)); verb != "serve" {
				continue
			}
			nodes++
			for _, role := range cli.Serve.Roles {
				holders[role]++
			}
		}
	}
	if nodes > 1 {
		for _, role := range engine.Roles {
			if holders[role] < 2 {
				t.Errorf("%d nodes have the role %s", holders[role], role)
			}
		}
	}
	slices.Sort(seeds)
	for _, seed := range seeds {
		name, _, _ := strings.Cut(seed, ":")
		env := c.Services[name].Environment
		others := slices.DeleteFunc(slices.Clone(seeds), func(s string) bool { return s == seed })
		if env["KURRENTDB_GOSSIP_SEED"] != strings.Join(others, ",") || env["KURRENTDB_CLUSTER_SIZE"] != "3" || len(seeds) != 3 ||
			env["KURRENTDB_NODE_HOST_ADVERTISE_AS"] != name || env["KURRENTDB_REPLICATION_HOST_ADVERTISE_AS"] != name {
			t.Errorf("%s is a node of another cluster: %v", name, env)
		}
	}
}

var believed = regexp.MustCompile(`[?&]maxAppendSize=(\d+)`)

// KurrentDB takes what we append: each of its nodes as much as each of ours
// believes, and that is all that the port promises.
func TestAppendSizes(t *testing.T) {
	want := strconv.Itoa(eventstoredb.MaxAppendSize)
	for _, files := range [][]string{{"cluster.yaml"}, {"cluster.yaml", "cluster-tls.yaml"}} {
		for name, s := range composed(t, files...).Services {
			env, size := s.environment(t), want
			switch {
			case s.ours():
				size = append(believed.FindStringSubmatch(env["CLEVERSENDER_LOG"]), "", "")[1]
			case env["KURRENTDB_CLUSTER_SIZE"] != "":
				size = env["KURRENTDB_MAX_APPEND_SIZE"]
			}
			if size != want {
				t.Errorf("%v: %s says that KurrentDB takes %q, want %s", files, name, size, want)
			}
		}
	}
}
