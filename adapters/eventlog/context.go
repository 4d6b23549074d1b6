package eventlog

import "context"

type pageKey struct{}

// WithPage puts a page into the context of a message, as it is: a bus that
// stays in the process need not encode it.
func WithPage(ctx context.Context, page RecordedPage) context.Context {
	return context.WithValue(ctx, pageKey{}, page)
}

// PageOf is the page of a message's context.
func PageOf(ctx context.Context) (page RecordedPage, ok bool) {
	page, ok = ctx.Value(pageKey{}).(RecordedPage)
	return page, ok
}
