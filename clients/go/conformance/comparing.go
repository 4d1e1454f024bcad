package main

import (
	"fmt"
	"maps"
	"slices"
)

// difference says where what came is not what is wanted; empty when nowhere. What the
// wish lacks is not compared, but for the parts of a decision.
func difference(wanted, came any, path string) string {
	switch wanted := wanted.(type) {
	case map[string]any:
		return differentMessages(wanted, came, path)
	case []any:
		return differentLists(wanted, came, path)
	default:
		if wanted != came {
			return fmt.Sprintf("%s is %v instead of %v", path, came, wanted)
		}
		return ""
	}
}

func differentMessages(wanted map[string]any, came any, path string) string {
	message, isMessage := came.(map[string]any)
	if !isMessage {
		return fmt.Sprintf("%s is %v instead of a message", path, came)
	}
	names := slices.Collect(maps.Keys(wanted))
	if _, isDecision := wanted["allowed"]; isDecision {
		names = append(names, "allowed", "denial", "reason")
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if found := difference(wanted[name], message[name], path+"."+name); found != "" {
			if path == "" {
				return fmt.Sprintf("%s; came: %v", found, came)
			}
			return found
		}
	}
	return ""
}

func differentLists(wanted []any, came any, path string) string {
	list, isList := came.([]any)
	if !isList || len(list) != len(wanted) {
		return fmt.Sprintf("%s is %v instead of %d elements", path, came, len(wanted))
	}
	for number, one := range wanted {
		if found := difference(one, list[number], fmt.Sprintf("%s[%d]", path, number)); found != "" {
			return found
		}
	}
	return ""
}
