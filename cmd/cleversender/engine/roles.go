package engine

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
)

// Role is a part of the work that a node may take on. Nodes that share a log,
// keys and read models share the work in any mix.
type Role string

const (
	RoleAPI         Role = "api"         // API, dashboard, webhooks
	RoleTracking    Role = "tracking"    // recipients' pages: opens, clicks, consent
	RoleProjections Role = "projections" // read models, privacy requests
	RoleSender      Role = "sender"      // campaigns, single messages, the mailbox for bounces
)

// Roles lists every one.
var Roles = []Role{RoleAPI, RoleTracking, RoleProjections, RoleSender}

// ErrNobodyFolds: read models that no other node can reach are folded here or nowhere.
var ErrNobodyFolds = domain.Refuse("roles_need_projections",
	"the read models are this node's own, so that it has to have the role projections; share them by --read-models postgres://…")

// has reports whether this node has a role; without any named it has all.
func (o Options) has(r Role) bool { return len(o.Roles) == 0 || slices.Contains(o.Roles, r) }
