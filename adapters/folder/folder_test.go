package folder_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/adapters/folder"
	"github.com/cleversender/cleversender/domain"
)

// TestMain lets the test be the other process, which holds a folder until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FOLDER_TEST_HOLD"); dir != "" {
		f, err := folder.Open(dir)
		if err == nil {
			err = f.Announce("127.0.0.1:8025")
		}
		if err != nil {
			os.Exit(1)
		}
		_, _ = os.Stdout.WriteString("held\n")
		select {}
	}
	os.Exit(m.Run())
}

func TestAnotherProcessIsRefusedByTheNameOfTheHolder(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "FOLDER_TEST_HOLD="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill() }()
	if n, err := out.Read(make([]byte, 5)); n != 5 || err != nil {
		t.Fatalf("the other process did not start: %v", err)
	}

	_, err = folder.Open(dir)
	var refusal domain.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "folder_in_use" || !strings.Contains(refusal.Reason, strconv.Itoa(child.Process.Pid)) {
		t.Errorf("error %v", err)
	}
	holder, ok, err := folder.Find(dir)
	if !ok || err != nil || holder != (folder.Holder{PID: child.Process.Pid, Listen: "127.0.0.1:8025"}) {
		t.Errorf("holder %v, %v, %v", holder, ok, err)
	}

	_ = child.Process.Kill()
	_ = child.Wait()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	_ = f.Close()
}

func TestAFolderIsTakenOnceAndLetGo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Open(dir); err == nil {
		t.Error("it was taken twice")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := folder.Find(dir); ok || err != nil {
		t.Errorf("still held: %v, %v", ok, err)
	}
	f, err = folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
}

func TestANewFolderIsItsOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for path, want := range map[string]os.FileMode{dir: 0o700, f.Path("lock"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: mode %o, want %o", filepath.Base(path), got, want)
		}
	}
}

func TestNobodyHoldsAFolderThatDoesNotExist(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, ok, err := folder.Find(dir); ok || err != nil {
		t.Errorf("held %v, error %v", ok, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("looking made it")
	}
}

func TestANameThatIsAFileIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Open(path); err == nil {
		t.Error("it was opened")
	}
}

// What is free is what df says, give or take what others write meanwhile.
func TestFreeIsOfTheDiskThatTheFolderIsOn(t *testing.T) {
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	free, err := f.Free()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("df", "--output=avail", "--block-size=1", f.Path()).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	said, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if apart := max(free, said) - min(free, said); apart > said/10 {
		t.Errorf("%d bytes are free, df says %d", free, said)
	}
}
