package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Server) versionRoutes() {
	add(s, huma.Operation{
		Method: http.MethodGet, Path: Prefix + "/version", OperationID: "get-version",
		Summary: "Show what is running", Tags: []string{"operation"},
	}, func(context.Context, *struct{}) (*Shown[Version], error) {
		return &Shown[Version]{s.deps.Version}, nil
	})
}
