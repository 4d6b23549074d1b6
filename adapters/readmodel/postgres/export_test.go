package postgres

// Keep bounds the bytes that a model that is built keeps back.
func (s *Store) Keep(n int) { s.keep = n }

// ErrNotEmpty is what Build says of a model that holds something.
var ErrNotEmpty = errNotEmpty
