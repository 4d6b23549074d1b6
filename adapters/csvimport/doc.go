// Package csvimport brings a file of contacts into the log.
//
// The file is CSV (RFC 4180) as people really export it: comma, semicolon or
// tab; UTF-8, UTF-16 or a declared charset; plain or gzip. It is read as it
// arrives, in flat memory, and never stored.
//
// What holds when something fails:
//
//   - A bad row is recorded by line, code and column, without its values; the
//     rest goes on. A quote that is never closed costs its own line only.
//   - A file that cannot be read on, a cancelled context or a broken connection
//     ends the import as failed. What was durable stays. The same import id
//     with the same file goes on after the last recorded progress; a new id
//     reads the file again. Neither makes anybody a second time.
//   - A crash leaves the import without an end; it is gone on with in the same way.
//   - A lost race for one person's stream is decided again for that person.
//   - Progress is recorded only when every row up to it is durable.
//
// Consent revoked earlier is never raised again. Who is suppressed, restricted
// or objected stays so, and is counted. Who was erased is left out: a count
// remains, no row number and no hint of which rows they were.
package csvimport
