package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// PartVerb is the hidden verb of the program that calls Part.
const PartVerb = "bench-part"

// Part is a piece of a measurement in a process of its own, so that its work
// is in nobody else's figures. It ends when its input does.
func Part(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	switch name {
	case "sink":
		return serveSink(json.NewDecoder(in), json.NewEncoder(out))
	case "signer":
		return serveSigner(json.NewDecoder(in), json.NewEncoder(out))
	case "client":
		return runBare(ctx, json.NewDecoder(in), json.NewEncoder(out))
	default:
		return fmt.Errorf("a bench has no part %q", name)
	}
}

// part is such a process, asked and answering in JSON.
type part struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func startPart(ctx context.Context, name string) (*part, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{os.Args[0], PartVerb, name}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	return &part{cmd, in, json.NewDecoder(out)}, nil
}

func (p *part) ask(question, answer any) error {
	if err := json.NewEncoder(p.in).Encode(question); err != nil {
		return err
	}
	return p.out.Decode(answer)
}

func (p *part) end() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
