package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a real Chromium with one tab. It takes note of everything that no page
// may do: complain to the console, break its own content policy, or ask anybody
// but the server.
type tab struct {
	ctx  context.Context
	base string // of the server

	mu     sync.Mutex
	faults []string
}

// patience is how long a page may take for one step; a step that takes longer
// is broken, not slow.
const patience = 30 * time.Second

func openTab(t *testing.T, base string) *tab {
	t.Helper()
	host, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(findChromium(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1200, 900), chromedp.Flag("disable-component-update", true),
		// One process shows frames, too, so that their requests are seen here.
		chromedp.Flag("disable-features", "IsolateSandboxedIframes,Translate,OptimizationHints,MediaRouter"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE "+host.Hostname()))
	all, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(all)
	t.Cleanup(end)
	b := &tab{ctx: ctx, base: base}
	if err := chromedp.Listen(ctx, b.watch); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return b
}

func findChromium(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("this test needs Chromium, and there is none: apt-get install chromium (make test does it on Debian)")
	return ""
}

// watch sees every event of the tab.
func (b *tab) watch(e any) {
	switch e := e.(type) {
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, b.base+"/") && !strings.HasPrefix(u, "data:") && u != "about:blank" {
			b.fault("a request to somebody else: " + u)
		}
	case *network.EventWebSocketCreated:
		b.fault("a web socket: " + e.URL)
	case *runtime.EventExceptionThrown:
		b.fault(fmt.Sprint("an exception: ", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		b.fault(fmt.Sprintf("the console says %s %v", e.Type, e.Args))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.fault(fmt.Sprintf("the browser complains (%s): %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	}
}

func (b *tab) fault(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, what)
}

// expect takes back the complaints that hold text, and says how many there were.
func (b *tab) expect(text string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var rest []string
	for _, f := range b.faults {
		if strings.Contains(f, text) {
			n++
			continue
		}
		rest = append(rest, f)
	}
	b.faults = rest
	return n
}

// do runs steps of one thing that a person does.
func (b *tab) do(t *testing.T, what string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%s: %v (at %s)", what, err, b.where())
	}
}

// goes runs a step that leads to another page, and returns the status of that.
func (b *tab) goes(t *testing.T, what string, step chromedp.Action[chromedp.Void]) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	resp, err := chromedp.RunResponse(ctx, step)
	if err != nil {
		t.Fatalf("%s: %v (at %s)", what, err, b.where())
	}
	return resp.Status
}

// refused takes a step that the server is to refuse; the browser notes it, too.
func (b *tab) refused(t *testing.T, want int64, step chromedp.Action[chromedp.Void]) {
	t.Helper()
	if got := b.goes(t, "refused", step); got != want {
		t.Errorf("the server answers %d, want %d (at %s)", got, want, b.where())
	}
	b.expect(fmt.Sprintf("status of %d", want))
}

// open asks for a page of the server, or for a whole URL.
func (b *tab) open(t *testing.T, to string) {
	t.Helper()
	if strings.HasPrefix(to, "/") {
		to = b.base + to
	}
	if status := b.goes(t, to, chromedp.Navigate(to)); status != http.StatusOK {
		t.Fatalf("%s answers %d", to, status)
	}
}

// press clicks the button or the link with a label, which leads to another page.
func (b *tab) press(t *testing.T, label string) {
	t.Helper()
	if status := b.goes(t, label, b.click(label)); status != http.StatusOK {
		t.Fatalf("%s leads to %d", label, status)
	}
}

// click clicks what has a label; nothing need come of it.
func (b *tab) click(label string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(fmt.Sprintf(`//*[self::a or self::button or self::summary or self::label][normalize-space()=%q]`, label), chromedp.NodeVisible)
}

func (b *tab) fill(t *testing.T, id, text string) {
	t.Helper()
	b.do(t, id, chromedp.SendKeys(chromedp.ID(id), text))
}

// choose picks an option by its text.
func (b *tab) choose(t *testing.T, id, option string) {
	t.Helper()
	js := fmt.Sprintf(`(() => { const e = document.getElementById(%q), o = [...e.options].find((o) => o.text === %q);
		if (!o) return false; e.value = o.value; return true })()`, id, option)
	if found := eval[bool](t, b, js); !found {
		t.Fatalf("%s offers no %q", id, option)
	}
}

func eval[T any](t *testing.T, b *tab, js string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

// read is the script that reads the first element that a CSS selector finds.
func read(selector string) string {
	return fmt.Sprintf(`((e) => e?.innerText ?? e?.textContent ?? "")(document.querySelector(%q))`, selector)
}

// text is what a person reads of the first element that a CSS selector finds.
func (b *tab) text(t *testing.T, selector string) string {
	t.Helper()
	return strings.Join(strings.Fields(eval[string](t, b, read(selector))), " ")
}

// until waits until a page shows a text, by itself.
func (b *tab) until(t *testing.T, selector, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	js, last := read(selector), ""
	for ctx.Err() == nil {
		if now, err := chromedp.Run(ctx, chromedp.Evaluate[string](js)); err == nil { // a page that is being left has no answer
			if last = strings.Join(strings.Fields(now), " "); strings.Contains(last, want) {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s does not come to show %q: %q (at %s)", selector, want, last, b.where())
}

// untilFramed waits until the frame of the page says something. It is of
// another origin, and may run no script: only the browser can look into it.
func (b *tab) untilFramed(t *testing.T, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	last := ""
	for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		now, err := framed(ctx)
		if err == nil { // a frame that is loading has no answer
			last = now
		}
		if strings.Contains(last, want) {
			return
		}
	}
	t.Fatalf("the frame does not come to show %q: %q", want, last)
}

func framed(ctx context.Context) (text string, err error) {
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil || len(tree.FrameTree.ChildFrames) == 0 {
		return "", err
	}
	world, err := chromedp.Call(ctx, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.ChildFrames[0].Frame.ID})
	if err != nil {
		return "", err
	}
	said, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
		Expression: "document.body.innerText", ContextID: world.ExecutionContextID, ReturnByValue: new(true),
	})
	if err != nil {
		return "", err
	}
	return text, json.Unmarshal(said.Result.Value, &text)
}

func (b *tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	at, _ := chromedp.Run(ctx, chromedp.Location())
	return at
}

// download clicks a link and returns the file that comes of it.
func (b *tab) download(t *testing.T, label string) []byte {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, DownloadPath: dir, EventsEnabled: new(true),
	}); err != nil {
		t.Fatal(err)
	}
	progress := chromedp.Events(ctx, browser.DownloadProgress)
	if err := chromedp.Do(ctx, b.click(label)); err != nil {
		t.Fatalf("%s: %v", label, err)
	}
	for e, err := range progress {
		if err != nil {
			t.Fatalf("%s: %v", label, err)
		}
		if e.State == browser.DownloadProgressStateCompleted {
			raw, err := os.ReadFile(filepath.Join(dir, e.GUID))
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
	t.Fatalf("%s: nothing came", label)
	return nil
}

//go:embed testdata/audit.js
var auditJS string

// looks are the ways in which every page is looked at; the first two show all
// that there is to find, the others are for pictures.
var looks = []struct {
	name   string
	width  int64
	scheme string
}{{"light", 1200, "light"}, {"narrow-dark", 390, "dark"}, {"narrow", 390, "light"}, {"dark", 1200, "dark"}}

var pictures = os.Getenv("CLEVERSENDER_SCREENSHOTS")

// check looks at the page in every way, and reports what is wrong with it and
// what it did that no page may do. With CLEVERSENDER_SCREENSHOTS it keeps pictures.
func (b *tab) check(t *testing.T, name string) {
	t.Helper()
	for i, look := range looks {
		if i > 1 && pictures == "" {
			break
		}
		b.look(t, look.width, look.scheme)
		for _, wrong := range eval[[]string](t, b, fmt.Sprintf("(%s)(%d)", auditJS, look.width)) {
			t.Errorf("page %s, %s: %s", name, look.name, wrong)
		}
		b.picture(t, name+"-"+look.name)
	}
	b.look(t, 1200, "light")
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		t.Errorf("page %s: %s", name, fault)
	}
	b.faults = nil
}

func (b *tab) look(t *testing.T, width int64, scheme string) {
	t.Helper()
	b.do(t, "resize", chromedp.EmulateViewport(width, 900), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

func (b *tab) picture(t *testing.T, name string) {
	t.Helper()
	if pictures == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(pictures, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(pictures, name+".png"), png, 0o644)
	}
	if err != nil {
		t.Fatalf("picture of %s: %v", name, err)
	}
}
