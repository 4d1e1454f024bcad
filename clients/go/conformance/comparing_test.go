package main

import "testing"

func TestDifference(t *testing.T) {
	for _, each := range []struct {
		says         string
		wanted, came string
		differs      bool
	}{
		{"the same", `{"a": [1, "b"]}`, `{"a": [1, "b"]}`, false},
		{"more than is wanted", `{"a": 1}`, `{"a": 1, "b": 2}`, false},
		{"another value", `{"a": 1}`, `{"a": 2}`, true},
		{"a text for a number", `{"a": 1}`, `{"a": "1"}`, true},
		{"a large id", `{"a": 9007199254740993}`, `{"a": 9007199254740992}`, true},
		{"nothing", `{"a": 1}`, `{}`, true},
		{"a longer list", `{"a": []}`, `{"a": [1]}`, true},
		{"another order", `{"a": [1, 2]}`, `{"a": [2, 1]}`, true},
		{"no list", `{"a": []}`, `{}`, true},
		{"a denial that is not wanted", `{"allowed": true}`, `{"allowed": true, "denial": "INVALID"}`, true},
		{"an error for a response", `{"response": {}}`, `{"error": {}}`, true},
	} {
		t.Run(each.says, func(t *testing.T) {
			found := difference(parsed([]byte(each.wanted)), parsed([]byte(each.came)), "")

			if each.differs != (found != "") {
				t.Errorf("wanted a difference: %v, told: %q", each.differs, found)
			}
		})
	}
}
