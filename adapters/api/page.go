package api

import (
	"strconv"

	"github.com/cleversender/cleversender/domain"
)

var errBadCursor = domain.Refuse("bad_cursor", "after is not the next of an earlier page")

// page turns what a projection found into a page: one more than the limit was
// asked for, which says whether there is a next one.
func page[Row, T any](found []Row, limit int, show func(Row) T, cursor func(Row) string) Page[T] {
	out := Page[T]{Items: make([]T, 0, min(len(found), limit))}
	for i, row := range found {
		if i == limit {
			out.Next = cursor(found[i-1])
			break
		}
		out.Items = append(out.Items, show(row))
	}
	return out
}

// afterID reads a cursor that is an id.
func (p Paged) afterID() (domain.ID, error) {
	id, err := domain.ParseID(p.After)
	if err != nil {
		return domain.ID{}, errBadCursor
	}
	return id, nil
}

// afterNumber reads a cursor that is a number.
func (p Paged) afterNumber() (int64, error) {
	if p.After == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(p.After, 10, 64)
	if err != nil {
		return 0, errBadCursor
	}
	return n, nil
}

func number[N ~int64](n N) string { return strconv.FormatInt(int64(n), 10) }
