package csvimport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/csvimport"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/adapters/keyring"
	keysqlite "github.com/cleversender/cleversender/adapters/keyring/sqlite"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var (
	account = domain.ID{1}
	news    = domain.ID{2}
	today   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// world is an engine as far as an import needs one.
type world struct {
	*eventlog.Journal
	keys *keysqlite.Store
	log  csvimport.Log
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	uri := "file://" + filepath.Join(dir, "root.key")
	if err := keyring.CreateRootKey(uri); err != nil {
		t.Fatal(err)
	}
	keys, err := keysqlite.Open(t.Context(), filepath.Join(dir, "keys.db"), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	w := &world{Journal: eventlog.NewJournal(memory.New(), catalog.All, keys, func() time.Time { return today }), keys: keys}
	w.log = w.Journal
	do(t, w, domain.ID{9}, commands.CreateList{List: news, Name: "News"})
	return w
}

func do[S commands.State[S, E], E any](t testing.TB, w *world, id domain.ID, cmd commands.Command[S, E]) {
	t.Helper()
	if _, err := commands.Handle(t.Context(), w.Journal, commands.Request{ID: id, Account: account}, cmd); err != nil {
		t.Fatal(err)
	}
}

func (w *world) importer() *csvimport.Importer {
	return &csvimport.Importer{
		Log: w.log, Directory: csvimport.DirectoryFunc(w.keys.Reserve), Address: address.Forms,
		Now: func() time.Time { return today },
	}
}

var mailing = []consent.Purpose{consent.Mailing}

func options(id byte) csvimport.Options {
	return csvimport.Options{Import: domain.ID{100, id}, Account: account, List: news, Purposes: mailing, Source: "a fair"}
}

func (w *world) run(t testing.TB, opt csvimport.Options, file string) csvimport.Result {
	t.Helper()
	result, err := w.importer().Import(t.Context(), opt, strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// person loads who has the address, and the names of their events.
func (w *world) person(t testing.TB, addr string) (subscriber.Subscriber, []string) {
	t.Helper()
	id, found, err := w.keys.Find(t.Context(), account, addr)
	if err != nil || !found {
		t.Fatalf("%s: found %v, %v", addr, found, err)
	}
	past, err := w.Load(t.Context(), subscriber.Stream(id))
	if err != nil {
		t.Fatal(err)
	}
	var is subscriber.Subscriber
	var names []string
	for _, e := range past {
		is = is.Evolve(e.Data.(subscriber.Event))
		names = append(names, e.Type)
	}
	return is, names
}

// stream is the import's own events.
func (w *world) stream(t testing.TB, id domain.ID) (events []contactimport.Event, is contactimport.Import) {
	t.Helper()
	past, err := w.Load(t.Context(), contactimport.Stream(id))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range past {
		events = append(events, e.Data.(contactimport.Event))
		is = is.Evolve(e.Data.(contactimport.Event))
	}
	return events, is
}

func text(p interface{ Reveal() (string, bool) }) string { s, _ := p.Reveal(); return s }

const small = `email,First name,last name,City,consented_at
Ann@Example.org,Ann,Lee,"Oslo, Norway",2024-05-01
bob@bücher.example,Боб,,,
not an address,X,Y,,
ann@example.org,Anna,Lee,Bergen,
carl@example.net,"Carl ""C"" Ø",,,soon

dora@example.net,Dora,,,2031-01-01
`

// Rows become people, consent asserted by the account, and rejections by line;
// a second row of a person completes the first.
func TestImport(t *testing.T) {
	w := newWorld(t)
	got := w.run(t, options(1), small)
	sum := sha256.Sum256([]byte(small))
	want := csvimport.Result{
		Line: 8, Bytes: int64(len(small)), SHA256: hex.EncodeToString(sum[:]),
		Counts: contactimport.Counts{Added: 2, Updated: 1, Rejected: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result: -want +got\n%s", diff)
	}

	ann, names := w.person(t, "ann@example.org")
	if diff := cmp.Diff([]string{"subscriber.added", "subscriber.joined", "consent.asserted", "subscriber.rectified"}, names); diff != "" {
		t.Errorf("Ann's events: -want +got\n%s", diff)
	}
	attributes, _ := ann.Attributes.Reveal()
	if text(ann.Email) != "Ann@example.org" || text(ann.Name) != "Anna Lee" || attributes["city"] != "Bergen" || !ann.On(news) {
		t.Errorf("Ann is %q %q %v", text(ann.Email), text(ann.Name), attributes)
	}
	bob, _ := w.person(t, "bob@xn--bcher-kva.example")
	if text(bob.Name) != "Боб" {
		t.Errorf("Bob is %q", text(bob.Name))
	}

	events, _ := w.stream(t, domain.ID{100, 1})
	counts := want.Counts
	wantEvents := []contactimport.Event{
		contactimport.Started{List: news, Purposes: mailing, Source: "a fair"},
		contactimport.RowsRejected{Rows: []contactimport.RejectedRow{
			{Line: 4, Code: "address_has_controls", Column: "email"},
			{Line: 6, Code: "bad_time", Column: "consented_at"}, {Line: 8, Code: "bad_time", Column: "consented_at"},
		}},
		contactimport.Progressed{Line: 8, Bytes: got.Bytes, SHA256: got.SHA256, Counts: counts},
		contactimport.Finished{Line: 8, Bytes: got.Bytes, SHA256: got.SHA256, Counts: counts},
	}
	if diff := cmp.Diff(wantEvents, events); diff != "" {
		t.Errorf("the import's events: -want +got\n%s", diff)
	}
}

// The claimed time and the line of the file are kept with the assertion.
func TestImportEvidence(t *testing.T) {
	w := newWorld(t)
	w.run(t, options(1), small)
	id, _, _ := w.keys.Find(t.Context(), account, "ann@example.org")
	past, _ := w.Load(t.Context(), subscriber.Stream(id))
	want := consent.Asserted{
		Purposes: mailing, List: news, Import: domain.ID{100, 1}, Row: 2,
		ClaimedAt: time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, past[2].Data); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A file imported again, under the same id or another, finds nothing to do.
func TestImportAgain(t *testing.T) {
	w := newWorld(t)
	file := "email,name\n" + lines(200)
	first := w.run(t, options(1), file)
	before, _ := w.Head(t.Context())
	if again := w.run(t, options(1), file); again != first {
		t.Errorf("the same import again: %+v, at first %+v", again, first)
	}
	if now, _ := w.Head(t.Context()); now != before {
		t.Errorf("the same import again recorded events")
	}
	other := w.run(t, options(2), file)
	if want := (contactimport.Counts{Unchanged: 200}); other.Counts != want {
		t.Errorf("another import of the file: %+v", other.Counts)
	}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p%d@example.org,Person %d\n", i, i)
	}
	return b.String()
}

// A person who revoked stays so, and one who was erased is counted and left out.
func TestImportRespects(t *testing.T) {
	w := newWorld(t)
	file := "email\nann@example.org\nbob@example.org\n"
	w.run(t, options(1), file)
	ann, _, _ := w.keys.Find(t.Context(), account, "ann@example.org")
	bob, _, _ := w.keys.Find(t.Context(), account, "bob@example.org")
	do(t, w, domain.ID{3}, commands.RevokeConsent{Person: ann, Purpose: consent.Mailing, List: news, Method: consent.ByUnsubscribe})
	do(t, w, domain.ID{4}, commands.EraseSubscriber{Person: bob, Request: domain.ID{5}})
	if _, err := w.keys.Shred(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	if err := w.keys.Forget(t.Context(), account, "bob@example.org", bob, true); err != nil {
		t.Fatal(err)
	}
	got := w.run(t, options(2), file)
	if want := (contactimport.Counts{Unchanged: 1, Suppressed: 1}); got.Counts != want {
		t.Errorf("counts %+v, want %+v", got.Counts, want)
	}
	is, names := w.person(t, "ann@example.org")
	if is.Consent(consent.Mailing, news).InForce(false) || names[len(names)-1] != "consent.revoked" {
		t.Errorf("an import raised a revoked consent: %v", names)
	}
	if past, _ := w.Load(t.Context(), subscriber.Stream(bob)); past[len(past)-1].Type != "subscriber.erased" {
		t.Errorf("an import recorded something about the erased")
	}
}

// Who is suppressed, restricted or objected stays so, and is counted, each row
// of theirs; of the restricted nothing changes. Who agreed to the list after an
// objection is not among them.
func TestImportHoldsBack(t *testing.T) {
	w := newWorld(t)
	file := func(name string) string {
		return fmt.Sprintf("email,name\nann@example.org,%[1]s\nbob@example.org,%[1]s\ncyd@example.org,%[1]s\ndan@example.org,%[1]s\nann@example.org,%[1]s\n", name)
	}
	w.run(t, options(1), file("First"))
	var people []domain.ID
	for _, name := range []string{"ann", "bob", "cyd", "dan"} {
		id, _, _ := w.keys.Find(t.Context(), account, name+"@example.org")
		people = append(people, id)
	}
	do(t, w, domain.ID{3}, commands.RestrictSubscriber{Person: people[0]})
	do(t, w, domain.ID{4}, commands.SuppressSubscriber{Person: people[1], Reason: subscriber.HardBounce})
	for i, id := range people[2:] {
		do(t, w, domain.ID{5, byte(i)}, commands.ObjectSubscriber{Person: id, Method: consent.ByUnsubscribe})
	}
	do(t, w, domain.ID{6}, commands.GiveConsent{Person: people[3], Purpose: consent.Mailing, List: news, Method: consent.ByForm})
	got := w.run(t, options(2), file("Second"))
	if want := (contactimport.Counts{Updated: 3, Unchanged: 2, HeldBack: 4}); got.Counts != want {
		t.Errorf("counts %+v, want %+v", got.Counts, want)
	}
	for i, want := range []subscriber.Standing{{subscriber.Restriction}, {subscriber.HardBounce}, {subscriber.Objection}} {
		is, _ := w.person(t, []string{"ann", "bob", "cyd"}[i]+"@example.org")
		if diff := cmp.Diff(want, is.Standing); diff != "" || is.HeldBack(news) == "" {
			t.Error(diff)
		}
		if restricted := i == 0; restricted == (text(is.Name) == "Second") {
			t.Errorf("%v is called %q", is.Standing, text(is.Name))
		}
	}
}

// A connection that breaks leaves what came before; the same import goes on
// from there and ends as if nothing had happened.
func TestImportResumes(t *testing.T) {
	w := newWorld(t)
	bad := "no address,\n"
	file := "email,name\n" + lines(1500) + bad + strings.ReplaceAll(lines(1500), "p", "q") + bad
	opt := options(1)
	opt.ChunkRows = 100
	broken := errors.New("connection reset")
	half := io.MultiReader(strings.NewReader(file[:len(file)*6/10]), iotest.ErrReader(broken))
	if _, err := w.importer().Import(t.Context(), opt, half); !errors.Is(err, broken) {
		t.Fatalf("a broken connection gave %v", err)
	}
	_, is := w.stream(t, opt.Import)
	if is.Status != contactimport.Broken || is.Failure.Code != "read_failed" || is.Counts.Added < 1500 || is.Counts.Added >= 3000 {
		t.Fatalf("after the break: %+v", is)
	}
	if _, err := w.importer().Import(t.Context(), opt, strings.NewReader("email\n"+lines(3000))); !errors.Is(err, csvimport.ErrDiffers) {
		t.Fatalf("going on with another file gave %v", err)
	}
	got := w.run(t, opt, file)
	if want := (contactimport.Counts{Added: 3000, Rejected: 2}); got.Counts != want {
		t.Errorf("counts %+v, want %+v", got.Counts, want)
	}
	events, _ := w.stream(t, opt.Import)
	rejected := 0
	for _, e := range events {
		if r, ok := e.(contactimport.RowsRejected); ok {
			rejected += len(r.Rows)
		}
	}
	if sum := sha256.Sum256([]byte(file)); got.SHA256 != hex.EncodeToString(sum[:]) || rejected != 2 {
		t.Errorf("digest %s, %d rows rejected", got.SHA256, rejected)
	}
	if _, names := w.person(t, "p7@example.org"); len(names) != 3 {
		t.Errorf("a person of the first half has %v", names)
	}
}

// Cancelling ends the import as failed, and what is in the log stays.
func TestImportCancelled(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	opt := options(1)
	opt.ChunkRows = 50
	opt.Progress = func(p csvimport.Progress) {
		if p.Counts.Added >= 100 {
			cancel()
		}
	}
	if _, err := w.importer().Import(ctx, opt, strings.NewReader("email,name\n"+lines(5000))); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	_, is := w.stream(t, opt.Import)
	if is.Status != contactimport.Broken || is.Failure.Code != "cancelled" || is.Failure.Counts.Added < 100 {
		t.Errorf("after cancelling: %+v", is)
	}
}

// racing lets somebody else write to a person's stream just before an append.
type racing struct {
	*eventlog.Journal
	before func()
}

func (r *racing) AppendBulk(ctx context.Context, writes []eventlog.Write) ([]eventlog.Result, []error) {
	if r.before != nil {
		r.before()
		r.before = nil
	}
	return r.Journal.AppendBulk(ctx, writes)
}

// A lost race is decided again for the person concerned: the one who joined by
// herself meanwhile is not added twice.
func TestImportLosesRace(t *testing.T) {
	w := newWorld(t)
	w.log = &racing{w.Journal, func() {
		found, err := w.keys.Reserve(t.Context(), account, []string{"p1@example.org"})
		if err != nil {
			t.Error(err)
		}
		do(t, w, domain.ID{3}, commands.AddSubscriber{
			Person: found[0].Person, Email: personal.Of("p1@example.org"), List: news, Source: subscriber.SourceForm,
		})
	}}
	got := w.run(t, options(1), "email,name\n"+lines(3))
	if want := (contactimport.Counts{Added: 2, Updated: 1}); got.Counts != want {
		t.Errorf("counts %+v, want %+v", got.Counts, want)
	}
	if _, names := w.person(t, "p1@example.org"); strings.Join(names, " ") != "subscriber.added subscriber.joined subscriber.rectified consent.asserted" {
		t.Errorf("events %v", names)
	}
}

// The same person in chunk after chunk, with something new each time, is never
// decided on a stale state.
func TestImportDuplicatesAcrossChunks(t *testing.T) {
	w := newWorld(t)
	var file strings.Builder
	file.WriteString("email,name\n")
	for i := range 300 {
		fmt.Fprintf(&file, "ann@example.org,Ann %d\nq%d@example.org,Q\n", i, i)
	}
	opt := options(1)
	opt.ChunkRows = 20
	got := w.run(t, opt, file.String())
	if want := (contactimport.Counts{Added: 301, Updated: 299}); got.Counts != want {
		t.Errorf("counts %+v, want %+v", got.Counts, want)
	}
	is, names := w.person(t, "ann@example.org")
	if text(is.Name) != "Ann 299" || len(names) != 3+299 {
		t.Errorf("%q after %d events", text(is.Name), len(names))
	}
}

// Files come packed and in many character sets; the digest is of what was received.
func TestImportForms(t *testing.T) {
	plain := "E-Mail;Name\nann@example.org;Ann Ødegård\n"
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write([]byte(plain))
	_ = zip.Close()
	var wide []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + plain)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	latin := strings.NewReplacer("Ø", "\xd8", "å", "\xe5").Replace(plain)
	for name, tt := range map[string]struct{ file, charset string }{
		"UTF-8": {plain, ""}, "declared UTF-8": {plain, "utf8"}, "with a mark": {"\ufeff" + plain, ""},
		"gzip": {packed.String(), ""}, "UTF-16": {string(wide), ""}, "Latin 1": {latin, "iso-8859-1"}, "Windows": {latin, "windows-1252"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			opt := options(1)
			opt.Charset = tt.charset
			got := w.run(t, opt, tt.file)
			if sum := sha256.Sum256([]byte(tt.file)); got.SHA256 != hex.EncodeToString(sum[:]) || got.Bytes != int64(len(tt.file)) {
				t.Errorf("digest %s of %d octets", got.SHA256, got.Bytes)
			}
			if is, _ := w.person(t, "ann@example.org"); text(is.Name) != "Ann Ødegård" {
				t.Errorf("the name is %q", text(is.Name))
			}
		})
	}
}

// zeros packs n octets of one long file.
func zeros(n int) string {
	var packed bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	_, _ = zip.Write([]byte("email\nann@example.org\n"))
	block := bytes.Repeat([]byte("\n"), 1<<20)
	for ; n > 0; n -= len(block) {
		_, _ = zip.Write(block)
	}
	_ = zip.Close()
	return packed.String()
}

// A file that cannot be read as a whole ends the import with the code of why,
// and what came before stays.
func TestImportRefusesFiles(t *testing.T) {
	packed := zeros(1 << 20)
	for name, tt := range map[string]struct {
		file, code string
		added      int
		change     func(*csvimport.Options)
	}{
		"empty":              {"", "empty_file", 0, nil},
		"only empty lines":   {"\n\n\n", "empty_file", 0, nil},
		"no header":          {"ann@example.org,Ann\n", "no_header", 0, nil},
		"no e-mail column":   {"name,city\nAnn,Oslo\n", "no_email_column", 0, nil},
		"a spreadsheet":      {"PK\x03\x04 and so on", "not_csv", 0, nil},
		"UTF-16, no mark":    {"e\x00m\x00a\x00i\x00l\x00\n\x00", "bad_encoding", 0, nil},
		"a million columns":  {"email" + strings.Repeat(",a", 1e6) + "\n", "bad_header", 0, nil},
		"201 columns":        {"email" + strings.Repeat(",a", 200) + "\n", "bad_header", 0, nil},
		"a gzip bomb":        {zeros(64 << 20), "gzip_bomb", 1, nil},
		"a damaged gzip":     {packed[:len(packed)-6], "gzip_damaged", 1, nil},
		"gzip of gzip bytes": {"\x1f\x8b", "gzip_damaged", 0, nil},
		"too large": {"email\nann@example.org\n" + strings.Repeat("\n", 3<<20), "import_too_large", 1, func(o *csvimport.Options) {
			o.MaxBytes = 2 << 20
		}},
		"a mapping of nothing": {small, "unknown_column", 0, func(o *csvimport.Options) { o.Mapping = map[string]string{"mail": "email"} }},
		"mapped twice":         {small, "mapped_twice", 0, func(o *csvimport.Options) { o.Mapping = map[string]string{"email": "email", "city": "email"} }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			opt := options(1)
			if tt.change != nil {
				tt.change(&opt)
			}
			_, err := w.importer().Import(t.Context(), opt, strings.NewReader(tt.file))
			var refusal domain.Refusal
			if !errors.As(err, &refusal) || refusal.Code != tt.code {
				t.Fatalf("got %v, want %s", err, tt.code)
			}
			_, is := w.stream(t, opt.Import)
			if is.Status != contactimport.Broken || is.Failure.Code != tt.code || is.Failure.Counts.Added != tt.added {
				t.Errorf("recorded %+v", is)
			}
		})
	}
}

// What is wrong with the question itself leaves no trace.
func TestImportRefusesOptions(t *testing.T) {
	for code, change := range map[string]func(*csvimport.Options){
		"bad_charset":   func(o *csvimport.Options) { o.Charset = "klingon" },
		"bad_delimiter": func(o *csvimport.Options) { o.Delimiter = 'x' },
		"not_found":     func(o *csvimport.Options) { o.List = domain.ID{77} },
		"list_required": func(o *csvimport.Options) { o.List = domain.ID{} },
	} {
		w := newWorld(t)
		opt := options(1)
		change(&opt)
		_, err := w.importer().Import(t.Context(), opt, strings.NewReader(small))
		var refusal domain.Refusal
		if !errors.As(err, &refusal) || refusal.Code != code {
			t.Errorf("got %v, want %s", err, code)
		}
		if events, _ := w.stream(t, opt.Import); len(events) > 0 {
			t.Errorf("%s: recorded %v", code, events)
		}
	}
}

// Columns are found by their names, or as the mapping says; what is left is an attribute.
func TestImportColumns(t *testing.T) {
	w := newWorld(t)
	opt := options(1)
	opt.Mapping = map[string]string{"Work": "email", "Nick": "name", "secret": "-", "Größe": "Shoe size"}
	w.run(t, opt, "Work,email,Nick,SECRET,Größe,City / Town,,city town,name\nann@example.org,old@example.org,Ann,x,41,Oslo,y,Bergen,Z\n")
	is, _ := w.person(t, "ann@example.org")
	attributes, _ := is.Attributes.Reveal()
	want := map[string]string{"email_2": "old@example.org", "shoe_size": "41", "city_town": "Oslo", "column_7": "y", "city_town_2": "Bergen", "name_2": "Z"}
	if diff := cmp.Diff(want, attributes); diff != "" || text(is.Name) != "Ann" {
		t.Errorf("%q: -want +got\n%s", text(is.Name), diff)
	}
}

// The file of errors names lines, codes and columns, and no values.
func TestErrorsCSV(t *testing.T) {
	var out strings.Builder
	rows := []contactimport.RejectedRow{{Line: 2, Code: "bad_address", Column: "email"}, {Line: 9, Code: "row_too_long"}}
	if err := csvimport.ErrorsCSV(&out, func(yield func(contactimport.RejectedRow, error) bool) {
		_ = yield(rows[0], nil) && yield(rows[1], nil)
	}); err != nil {
		t.Fatal(err)
	}
	if want := "line,code,column\r\n2,bad_address,email\r\n9,row_too_long,\r\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

// Nothing of a value reaches the log in the clear, the rejected rows included.
func TestImportHidesValues(t *testing.T) {
	w := newWorld(t)
	file := "email,name,note\nCanary@example.org,Canary,Canary\nCanary Canary,Canary,Canary\ncanary@example.org,\"Canary\r\n\",Canary\n\"Canary\",x\"Canary\"\n"
	w.run(t, options(1), file)
	page := 0
	for p, err := range w.Follow(t.Context(), 0, nil, 1000) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			_, _, data, err := catalog.All.Encode(e.Data)
			if err != nil || bytes.Contains(bytes.ToLower(data), []byte("canary")) {
				t.Errorf("%s at %d: %s %v", e.Type, e.Position, data, err)
			}
			page++
		}
		break
	}
	if page < 4 {
		t.Errorf("only %d events", page)
	}
}
