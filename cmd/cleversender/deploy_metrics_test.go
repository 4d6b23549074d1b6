package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gosmtp "github.com/emersion/go-smtp"

	report "github.com/cleversender/cleversender/adapters/bounce"
)

// exported is what a server shows at /metrics: the values of each label of each metric.
type exported map[string]map[string][]string

// unseen are values of labels that the test below does not bring about.
var unseen = map[string]string{
	"cleversender_http_request_seconds_count status": "5xx",
	"cleversender_bounces_total kind":                string(report.Complaint),
}

// export runs a server that is given one of everything, and reads its metrics.
func export(t *testing.T) exported {
	t.Helper()
	mail, h := newSink(t), newHouse(t)
	s := h.serve(mail.URL(), "--trusted-proxies", "127.0.0.1/32", "--hook-postmark", postmarkPassword, "--connections", "1")
	story(t, h, s, mail) // an open, a click, somebody who leaves, a hard bounce
	template := aUUID.FindString(h.cli("template", "ls"))
	h.cli("message", "send", "--to", "bob@example.org", "--template", template, "--from-email", "shop@example.org", "--wait")
	mail.set(func() {
		mail.wall = &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 7, 515}, Message: "Access denied"}
	})
	mailing := h.draft(3)
	h.cli("campaign", "start", mailing)
	s.held(mailing) // by the breaker

	all := exported{}
	_, text := s.get("/metrics")
	for _, m := range metric.FindAllStringSubmatch(text, -1) {
		if all[m[1]] == nil {
			all[m[1]] = map[string][]string{}
		}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			all[m[1]][l[1]] = append(all[m[1]][l[1]], l[2])
		}
	}
	for name, labels := range all { // what Prometheus adds
		labels["instance"], labels["job"] = nil, []string{"cleversender"}
		for key, value := range unseen {
			if of, l, _ := strings.Cut(key, " "); of == name {
				labels[l] = append(labels[l], value)
			}
		}
	}
	all["up"] = map[string][]string{"instance": nil, "job": {"cleversender", "kurrentdb"}}
	return all
}

var (
	token    = regexp.MustCompile(`\s+|"(?:[^"\\]|\\.)*"|\$?[a-zA-Z_:][\w:]*|[0-9.]+(?:e[0-9]+)?(?:ms|[smhdwy])?|[=!]~|[=!<>]=|[-+*/%^<>=(){}\[\],]`)
	duration = regexp.MustCompile(`^(?:[0-9]+(?:ms|[smhdwy])|\$__rate_interval)$`)
	aUUID    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	aName    = regexp.MustCompile(`^[a-zA-Z_:]`)

	functions = []string{"sum", "max", "topk", "rate", "increase", "histogram_quantile"}
	operators = []string{"and", "or", "unless", "by", "offset"}
)

// check says what is wrong with an expression of PromQL, as far as we use the
// language, and which labels its result can have.
func (e exported) check(expr string) (labels []string, err error) {
	var words []string
	for rest := expr; rest != ""; {
		at := token.FindStringIndex(rest)
		if at == nil || at[0] != 0 {
			return nil, fmt.Errorf("no token: %s", rest)
		}
		if word := strings.TrimSpace(rest[:at[1]]); word != "" {
			words = append(words, word)
		}
		rest = rest[at[1]:]
	}
	words = append(words, "", "") // the end
	var open, grouped, carried []string
	for i := 0; words[i] != ""; i++ {
		switch word, next := words[i], words[i+1]; {
		case strings.Contains("([{", word):
			if len(open) > 0 && open[len(open)-1] == "[" {
				return nil, fmt.Errorf("no range: %s", word)
			}
			open = append(open, word)
		case strings.Contains(")]}", word):
			if len(open) == 0 || open[len(open)-1] != map[string]string{")": "(", "]": "[", "}": "{"}[word] {
				return nil, fmt.Errorf("%s without its other half", word)
			}
			open = open[:len(open)-1]
		case len(open) > 0 && open[len(open)-1] == "[":
			if !duration.MatchString(word) {
				return nil, fmt.Errorf("no range: %s", word)
			}
		case !aName.MatchString(word):
		case word == "by":
			end := i + slices.Index(words[i:], ")")
			if next != "(" || end < i {
				return nil, fmt.Errorf("by what?")
			}
			grouped = append(grouped, slices.DeleteFunc(slices.Clone(words[i+2:end]), func(w string) bool { return w == "," })...)
			i = end
		case slices.Contains(operators, word):
			if word == "offset" && !duration.MatchString(next) {
				return nil, fmt.Errorf("offset by %s", next)
			}
		case next == "(" || next == "by":
			if !slices.Contains(functions, word) {
				return nil, fmt.Errorf("function %s", word)
			}
		default:
			if e[word] == nil {
				return nil, fmt.Errorf("no metric %s", word)
			}
			for name := range e[word] {
				carried = append(carried, name)
			}
			if next == "{" {
				end := i + slices.Index(words[i:], "}")
				if err := e.match(word, words[i+2:max(end, i+2)]); err != nil {
					return nil, err
				}
				i = max(end, i)
			}
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("%v stay open", open)
	}
	for _, name := range grouped {
		if !slices.Contains(carried, name) {
			return nil, fmt.Errorf("by %s, which no metric in it has", name)
		}
	}
	if strings.Contains(expr, "sum") || strings.Contains(expr, "max") {
		carried = grouped
	}
	return carried, nil
}

// match checks what stands between { and }.
func (e exported) match(metric string, words []string) error {
	for part := range slices.Chunk(words, 4) {
		if len(part) < 3 || len(part) == 4 && part[3] != "," || part[1] != "=" && part[1] != "!=" {
			return fmt.Errorf("no matcher: %v", part)
		}
		if value := strings.Trim(part[2], `"`); !slices.Contains(e[metric][part[0]], value) {
			return fmt.Errorf("%s is never %s of %s", value, part[0], metric)
		}
	}
	return nil
}

// The guard is proven by what it must find.
func TestExpressionGuardFinds(t *testing.T) {
	e := exported{"a_total": {"result": {"good"}, "le": nil}, "b": {"job": {"x"}}}
	for _, good := range []string{
		`a_total`, `sum by (result) (rate(a_total[5m])) / 2e3 > 0.1`, `a_total{result="good"} or (b unless b offset 1h)`,
		`histogram_quantile(0.5, sum by (le) (rate(a_total{result="good"}[$__rate_interval])))`,
	} {
		if _, err := e.check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		`c_total`, `rate(a_total[5m]`, `rate(a_total[5])`, `rate(a_total[[5m]])`, `a_total{result="bad"}`, `a_total{outcome="good"}`, `a_total{result=}`,
		`a_total{result="good"`, `sum by (server) (a_total)`, `total(a_total)`, `b offset`, `a_total # b`, `sum by`, `a_total)`,
	} {
		if _, err := e.check(bad); err == nil {
			t.Errorf("%s: nothing wrong found", bad)
		}
	}
}

type alertRules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For string
			Labels           struct{ Severity string }
			Annotations      struct{ Summary string }
		}
	}
}

type dashboard struct {
	UID    string
	Panels []struct {
		ID         int
		Title      string
		Datasource struct{ Type, UID string }
		Targets    []struct{ RefID, Expr, LegendFormat string }
	}
}

var placeholder = regexp.MustCompile(`\{\{ *(?:\$labels\.)?(\w+) *\}\}`)

// Alerts and dashboard look at metrics, labels and values of them that a server
// at work has, and mention labels that the result has.
func TestWatched(t *testing.T) {
	e := export(t)
	says := func(where, expr, text string) {
		t.Helper()
		labels, err := e.check(expr)
		if err != nil {
			t.Errorf("%s: %v: %s", where, err, expr)
			return
		}
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(labels, m[1]) {
				t.Errorf("%s mentions %s, which its expression has not", where, m[1])
			}
		}
	}
	var rules alertRules
	strict(t, textOf(t, deploy+"prometheus/alerts.yml"), &rules)
	names := map[string]bool{}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			says(r.Alert, r.Expr, r.Annotations.Summary)
			if names[r.Alert] || r.Labels.Severity != "critical" && r.Labels.Severity != "warning" || r.Annotations.Summary == "" {
				t.Errorf("alert %+v", r)
			}
			names[r.Alert] = true
			if !strings.Contains(textOf(t, "../../docs/deploy.md"), r.Alert) {
				t.Errorf("docs/deploy.md does not say what to do about %s", r.Alert)
			}
		}
	}
	var d dashboard
	if err := json.Unmarshal([]byte(textOf(t, deploy+"grafana/dashboards/cleversender.json")), &d); err != nil {
		t.Fatal(err)
	}
	for i, p := range d.Panels {
		if p.ID != i+1 || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %+v", p)
		}
		for _, target := range p.Targets {
			says(p.Title, target.Expr, target.LegendFormat)
		}
	}
	if len(names) < 15 || len(d.Panels) < 15 {
		t.Errorf("%d alerts, %d panels", len(names), len(d.Panels))
	}
}

type scrape struct {
	Global struct {
		ScrapeInterval     string `yaml:"scrape_interval"`
		EvaluationInterval string `yaml:"evaluation_interval"`
	}
	RuleFiles     []string `yaml:"rule_files"`
	ScrapeConfigs []struct {
		JobName       string                       `yaml:"job_name"`
		StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
	} `yaml:"scrape_configs"`
}

type datasources struct {
	APIVersion  int `yaml:"apiVersion"`
	Datasources []struct {
		Name, UID, Type, Access, URL string
		IsDefault                    bool `yaml:"isDefault"`
		Editable                     bool
	}
}

type providers struct {
	APIVersion int `yaml:"apiVersion"`
	Providers  []struct {
		Name, Type     string
		AllowUIUpdates bool `yaml:"allowUiUpdates"`
		Options        struct{ Path string }
	}
}

// mounted is the file of ours that a service sees at a path; "" for none.
func (s service) mounted(path string) string {
	for _, mount := range s.Volumes {
		from, to, _ := strings.Cut(strings.TrimSuffix(mount, ":ro"), ":")
		if inside, ok := strings.CutPrefix(path, to); ok && strings.HasPrefix(from, "./") {
			return deploy + from + inside
		}
	}
	return ""
}

// Prometheus asks every node, and reads the alerts; Grafana asks Prometheus, and
// finds the dashboard.
func TestWatchers(t *testing.T) {
	for _, file := range []string{"compose.yaml", "cluster.yaml"} {
		c := composed(t, file)
		prometheus, grafana := c.Services["prometheus"], c.Services["grafana"]
		var asks scrape
		strict(t, textOf(t, prometheus.mounted("/etc/prometheus/prometheus.yml")), &asks)
		for _, path := range asks.RuleFiles {
			if from := prometheus.mounted(path); filepath.Base(from) != "alerts.yml" {
				t.Errorf("%s: the rules at %s are %q", file, path, from)
			}
		}
		var asked []string
		for _, job := range asks.ScrapeConfigs {
			for _, static := range job.StaticConfigs {
				for _, target := range static.Targets {
					c.reaches(t, target)
					asked = append(asked, job.JobName+" "+target)
				}
			}
		}
		for name, s := range c.Services {
			job := map[bool]string{true: "cleversender", false: "kurrentdb"}[s.ours()]
			if watched := slices.Contains(s.Command, "serve") || s.Environment["KURRENTDB_CLUSTER_SIZE"] != ""; watched &&
				!slices.Contains(asked, job+" "+name+":"+s.listens(t)[0]) {
				t.Errorf("%s: nobody watches %s: %v", file, name, asked)
			}
		}

		var from datasources
		strict(t, textOf(t, grafana.mounted("/etc/grafana/provisioning/datasources/prometheus.yaml")), &from)
		c.reaches(t, hosts(from.Datasources[0].URL)[0])
		var shown providers
		strict(t, textOf(t, grafana.mounted("/etc/grafana/provisioning/dashboards/files.yaml")), &shown)
		files, err := os.ReadDir(grafana.mounted(shown.Providers[0].Options.Path))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		var d dashboard
		if err := json.Unmarshal([]byte(textOf(t, grafana.mounted(shown.Providers[0].Options.Path)+"/"+files[0].Name())), &d); err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Panels {
			if p.Datasource.UID != from.Datasources[0].UID || p.Datasource.Type != from.Datasources[0].Type {
				t.Errorf("%s asks %+v", p.Title, p.Datasource)
			}
		}
	}
}
