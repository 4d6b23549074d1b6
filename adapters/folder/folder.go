// Package folder is the data folder, held by one process at a time: a second
// one gets a refusal that names the first.
//
// The lock is the kernel's (flock), so it ends with the process, however that
// ends: a file left behind by a crash locks nobody out.
package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/cleversender/cleversender/domain"
)

const lockFile = "lock"

// Folder is a data folder that this process holds.
type Folder struct {
	dir  string
	lock *os.File
}

// Holder is the process that holds a folder.
type Holder struct {
	PID    int
	Listen string // where it serves; "" when it does not
}

// Open makes the folder when there is none, readable by its owner alone, and
// takes it. Held by another process it is the refusal folder_in_use.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f := &Folder{dir, lock}
	switch err := flock(lock, unix.LOCK_EX); {
	case errors.Is(err, unix.EWOULDBLOCK):
		holder := read(lock)
		_ = lock.Close()
		return nil, inUse(dir, holder)
	case err != nil:
		_ = lock.Close()
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := f.Announce(""); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return f, nil
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func inUse(dir string, h Holder) error {
	who := "another process"
	if h.PID > 0 {
		who = "process " + strconv.Itoa(h.PID)
	}
	return domain.Refuse("folder_in_use", fmt.Sprintf("the data folder %s is in use by %s", dir, who))
}

// Path is where a file of the folder is.
func (f *Folder) Path(name ...string) string {
	return filepath.Join(append([]string{f.dir}, name...)...)
}

// Free is how many bytes may still be written to the disk that the folder is on.
func (f *Folder) Free() (uint64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(f.dir, &disk); err != nil {
		return 0, fmt.Errorf("data folder: %w", err)
	}
	return disk.Bavail * uint64(disk.Bsize), nil
}

// Announce writes where this process serves, for Find.
func (f *Folder) Announce(listen string) error {
	text := fmt.Sprintf("pid %d\n", os.Getpid())
	if listen != "" {
		text += "listen " + listen + "\n"
	}
	if err := f.lock.Truncate(0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if _, err := f.lock.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

// Close lets the folder go.
func (f *Folder) Close() error {
	_ = f.lock.Truncate(0)
	return f.lock.Close()
}

// Find says which process holds the folder; ok is false when none does. It
// takes nothing, and makes nothing.
func Find(dir string) (holder Holder, ok bool, err error) {
	lock, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, os.ErrNotExist) {
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, fmt.Errorf("data folder: %w", err)
	}
	defer func() { _ = lock.Close() }()
	switch err := flock(lock, unix.LOCK_SH); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return read(lock), true, nil
	case err != nil:
		return Holder{}, false, fmt.Errorf("data folder: %w", err)
	}
	return Holder{}, false, nil
}

// read tells what the holder wrote; a holder that has not written yet is unknown.
func read(lock *os.File) (h Holder) {
	buf := make([]byte, 512)
	n, _ := lock.ReadAt(buf, 0)
	for line := range strings.Lines(string(buf[:n])) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "pid":
			h.PID, _ = strconv.Atoi(value)
		case "listen":
			h.Listen = value
		}
	}
	return h
}
