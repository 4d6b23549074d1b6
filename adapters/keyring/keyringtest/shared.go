package keyringtest

var shared []promise
