module github.com/cleversender/cleversender

go 1.26.8
