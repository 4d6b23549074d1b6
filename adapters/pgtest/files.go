package pgtest

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Folder is where the cluster of a database keeps its files, the write-ahead log
// included. What has been written so far is in them.
func Folder(t testing.TB, url string) string {
	t.Helper()
	return asked(t, url, "SELECT current_setting('data_directory')")
}

// Found counts text in every file of a database: of its tables and indexes.
func Found(t testing.TB, url string, text []byte) (n int) {
	t.Helper()
	folder := asked(t, url, "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database WHERE datname = current_database()")
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		n += bytes.Count(raw, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func asked(t testing.TB, url, query string) (answer string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
