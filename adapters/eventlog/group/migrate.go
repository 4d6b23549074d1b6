package group

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/cleversender/cleversender/domain"
)

// ErrNewerSchema: the log was made by a newer version of the software.
var ErrNewerSchema = domain.Refuse("eventlog_newer",
	"the event log was made by a newer version of the software; use that version, or restore a backup of before")

// Migrate brings a database to the last of the migrations in the folder schema.
func Migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, migrations fs.FS) error {
	files, err := fs.Sub(migrations, "schema")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("schema version: %w", err)
	}
	if current > target {
		return ErrNewerSchema
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return nil
}
