package projections

import (
	"fmt"
	"strings"

	"github.com/cleversender/cleversender/domain"
)

// StreamID is the id in the name of a stream, "campaign-<id>" say.
func StreamID(stream string) (domain.ID, error) {
	_, text, _ := strings.Cut(stream, "-")
	id, err := domain.ParseID(text)
	if err != nil || id.IsZero() {
		return domain.ID{}, fmt.Errorf("stream %q names no id", stream)
	}
	return id, nil
}
