package generate

import "strings"

// script is names and places as one part of the world writes them. Cells that
// hold a comma or a quote are quoted already.
type script struct {
	first, firstASCII []string
	last, lastASCII   []string
	cities            []string
	domain            string // internationalised
}

// weights says how often each of scripts comes up.
var weights = []int{10, 5, 3, 2, 2, 3, 2, 2, 2, 2, 1}

var scripts = []script{
	of("Ann Ben Clara David Emma Frank Grace Henry Isla Jack", "", "Lee Brown Smith Taylor Walker Green Baker Hall Wood Clark", "",
		`Leeds,Austin,"Portland, Oregon",Dublin,"Perth, WA"`, "café.example"),
	of("Jürgen Zoë Søren Åsa Łukasz Renée José Müjde Bjørn Inês", "jurgen zoe soren asa lukasz renee jose mujde bjorn ines",
		"Müller Ødegård Nowak Gonçalves Lefèvre Muñoz Çelik Jönsson Kovács Novák", "mueller odegard nowak goncalves lefevre munoz celik jonsson kovacs novak",
		`Köln,Kraków,"São Paulo, SP",Malmö,"Besançon, Doubs"`, "bücher.example"),
	of("Анна Борис Дарья Иван Олена Тарас", "anna boris darya ivan olena taras", "Іваненко Петрова Шевченко Соколов", "ivanenko petrova shevchenko sokolov",
		"Київ,Одеса,Астана", "пример.example"),
	of("Ελένη Γιώργος Νίκος Σοφία", "eleni giorgos nikos sofia", "Παπαδοπούλου Γεωργίου Νικολάου", "papadopoulou georgiou nikolaou",
		"Αθήνα,Θεσσαλονίκη", "παράδειγμα.example"),
	of("محمد فاطمة يوسف ليلى", "mohammad fatima yusuf layla", "الخطيب حداد منصور", "alkhatib haddad mansour", "القاهرة,بيروت", "مثال.example"),
	of("伟 芳 娜 秀英", "wei fang na xiuying", "王 李 张 刘 陈", "wang li zhang liu chen", "北京,上海,台北", "例子.example"),
	of("さくら 蓮 陽菜 大翔", "sakura ren hina hiroto", "佐藤 鈴木 高橋 田中", "sato suzuki takahashi tanaka", "東京,大阪,札幌", "例え.example"),
	of("서연 민준 지우 도윤", "seoyeon minjun jiwoo doyun", "김 이 박 최", "kim lee park choi", "서울,부산", "실례.example"),
	of("आरव दीया अनन्या रोहन", "aarav diya ananya rohan", "शर्मा वर्मा गुप्ता", "sharma verma gupta", "दिल्ली,मुंबई", "उदाहरण.example"),
	of("נועה דוד יעל אורי", "noa david yael uri", "כהן לוי מזרחי", "cohen levi mizrahi", "חיפה,ירושלים", "דוגמה.example"),
	of("สมชาย มาลี อนันต์", "somchai malee anan", "ใจดี ศรีสุข", "jaidee srisuk", "กรุงเทพฯ,เชียงใหม่", "ตัวอย่าง.example"),
}

var (
	domains = []string{
		"example.org", "example.net", "example.com", "mail.example.org", "post.example.net", "inbox.example",
		"letters.example", "posteo.test", "kontor.test", "firma.example",
	}
	companies = []string{
		`"Wood, Clark & Sons"`, "Harbour Books", `"The ""Blue"" Door"`, "Nordlicht GmbH", "", "", "Café Central", `"Fjord, Fisk og Sånt AS"`, "北星商店", "",
	}
	plans = []string{"free", "free", "free", "plus", "gold"}
)

// of splits what is written together; ASCII forms that are left out are the
// names in lower case.
func of(first, firstASCII, last, lastASCII, cities, domain string) script {
	s := script{first: strings.Fields(first), last: strings.Fields(last), cities: cells(cities), domain: domain}
	if firstASCII == "" {
		firstASCII, lastASCII = strings.ToLower(first), strings.ToLower(last)
	}
	s.firstASCII, s.lastASCII = strings.Fields(firstASCII), strings.Fields(lastASCII)
	return s
}

// cells splits at commas outside quotes.
func cells(line string) (out []string) {
	quoted, start := false, 0
	for i, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			out = append(out, line[start:i])
			start = i + 1
		}
	}
	return append(out, line[start:])
}
