package web

import (
	"net/http"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/projections/audience"
)

type listsPage struct {
	Form  domain.ID
	Name  string
	Lists []audience.List
	Next  string
}

func (s *site) lists(w http.ResponseWriter, r *http.Request, who session) error {
	return s.listsPage(w, r, who, listsPage{Form: s.NewID()}, "")
}

func (s *site) listsPage(w http.ResponseWriter, r *http.Request, who session, p listsPage, problem string) error {
	found, err := audience.Lists(r.Context(), s.rows(audience.Projection.Name), who.account, afterID(r), perPage+1)
	if err != nil {
		return err
	}
	p.Lists, p.Next = cut(found, func(l audience.List) string { return l.ID.String() })
	return s.show(w, r, who, "lists", view{Title: "Lists", Section: "lists", Error: problem, Data: p})
}

func (s *site) createList(w http.ResponseWriter, r *http.Request, who session) error {
	req := s.request(r, who)
	cmd := commands.CreateList{List: req.ID.Derive("list"), Name: r.PostFormValue("name"), DoubleOptIn: r.PostFormValue("double_opt_in") != ""}
	if problem, fault := refused(act(s, r, who, audience.Projection.Name, cmd)); problem != "" {
		return s.listsPage(w, r, who, listsPage{Form: formID(r, "form"), Name: cmd.Name}, problem)
	} else if fault != nil {
		return fault
	}
	return seeOther(w, r, "/lists/"+cmd.List.String())
}

// memberRow is a person on a list, in the clear.
type memberRow struct {
	audience.Member
	Email, Name string
}

func (s *site) list(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	ctx, rows := r.Context(), s.rows(audience.Projection.Name)
	l, found, err := audience.FindList(ctx, rows, who.account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	if err != nil {
		return err
	}
	members, err := audience.Members(ctx, rows, id, afterID(r), perPage+1)
	if err != nil {
		return err
	}
	members, next := cut(members, func(m audience.Member) string { return m.Person.String() })
	people := make([]audience.Person, 0, len(members))
	on := map[domain.ID]audience.Member{}
	for _, m := range members {
		p, found, err := audience.Find(ctx, rows, who.account, m.Person)
		if err != nil {
			return err
		}
		if found {
			people, on[m.Person] = append(people, p), m
		}
	}
	if err := s.open(ctx, people); err != nil {
		return err
	}
	shown := make([]memberRow, len(people))
	for i, p := range people {
		shown[i] = memberRow{on[p.ID], plain(p.Email), plain(p.Name)}
	}
	return s.show(w, r, who, "list", view{Title: l.Name, Section: "lists", Data: struct {
		audience.List
		Members []memberRow
		Next    string
	}{l, shown, next}})
}

func (s *site) archiveList(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := act(s, r, who, audience.Projection.Name, commands.ArchiveList{List: id}); err != nil {
		return err
	}
	return seeOther(w, r, "/lists/"+id.String())
}
