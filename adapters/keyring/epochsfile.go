package keyring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ReadEpochs reads a file of epochs; fs.ErrNotExist when there is none.
func ReadEpochs(path string, root Root) (*Epochs, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	e, err := DecodeEpochs(raw, root)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return e, nil
}

// WriteFile replaces the file: after a crash it is the old or the new one, whole.
func (e *Epochs) WriteFile(path string, root Root) error {
	raw, err := e.Encode(root)
	if err != nil {
		return err
	}
	if err := replaceFile(path, raw); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func replaceFile(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(path)
}

// syncDir makes the name of a new file durable.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
