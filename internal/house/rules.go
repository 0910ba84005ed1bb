// Package house holds the house plan as data: which room is on which floor and who may import whom (docs/architecture.md).
// Its test reads the real imports and fails when somebody breaks the plan.
package house

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the import path of this module.
const Module = "phalops"

// floors lists the rooms of the house, ground floor first. A room imports lower floors and its own parent only, never a
// sibling on its floor. Rooms that do not exist yet have their place already.
var floors = [][]string{
	1:  {"fleet", "clock", "i18n", "substrate/scale"},
	2:  {"wire", "secret", "rule", "substrate", "view", "loss", "roster", "sim/world"},
	3:  {"account", "pruntime", "prb", "prb/v0", "prb/v2", "prb/v3", "phala", "host", "host/local", "host/ssh", "host/docker", "config", "store", "store/memory", "store/sqlite", "store/postgres"},
	4:  {"observe", "decide", "act", "notify", "notify/dingtalk", "notify/feishu", "notify/wecom", "notify/telegram", "notify/slack", "notify/webhook", "notify/email"},
	5:  {"remedy", "provision", "backup"},
	6:  {"batch", "disk", "deploy"},
	7:  {"migrate", "schedule", "control"},
	8:  {"metrics", "web", "sim/wire", "sim/campaign"},
	9:  {"daemon"},
	10: {"cli"},
}

// only narrows a room to exactly these rooms of the house.
var only = map[string][]string{
	"decide":    {"fleet", "rule"},
	"act":       {"fleet", "store"},
	"sim/world": {"fleet", "clock"},
}

// never forbids rooms that the floors would allow: the simulator's face shares no code with the clients that it tests.
var never = map[string][]string{
	"sim/wire": {"prb", "prb/v0", "prb/v2", "prb/v3", "pruntime", "notify", "notify/dingtalk", "host", "host/docker", "host/local", "host/ssh", "phala", "substrate", "substrate/scale", "wire"},
}

// testRooms are imported by tests only: conformance suites, crash enumeration, laboratories.
var testRooms = []string{"store/storetest", "act/acttest", "host/hosttest", "lab", "lab/dummy", "testkit", "house"}

// bench measures rooms from outside, on every floor.
const bench = Module + "/bench"

// Check reports every way in which a package's imports break the plan. pkg and imports are full import paths; imports from
// outside the module are ignored.
func Check(pkg string, imports []string) []string {
	room, inside := strings.CutPrefix(pkg, Module+"/internal/")
	var broken []string
	for _, path := range imports {
		to, ok := strings.CutPrefix(path, Module+"/internal/")
		if !ok {
			continue
		}
		if why := breach(room, inside, to); why != "" {
			broken = append(broken, fmt.Sprintf("%s imports %s: %s", pkg, path, why))
		}
	}
	if inside && floorOf(room) == 0 && !slices.Contains(testRooms, room) {
		broken = append(broken, pkg+": this room is not in the house plan")
	}
	return broken
}

func breach(room string, inside bool, to string) string {
	switch {
	case room == bench && !slices.Contains(testRooms, to):
		return ""
	case !inside && room != bench:
		if to != "cli" {
			return "main is flags, environment, signals and an exit code; it imports cli only"
		}
		return ""
	case slices.Contains(testRooms, room):
		return ""
	case slices.Contains(testRooms, to):
		return "this room is for tests only"
	case only[room] != nil && !slices.Contains(only[room], to):
		return "it may import only " + strings.Join(only[room], ", ")
	case slices.Contains(never[room], to):
		return "the simulator's face shares no code with the clients"
	case strings.HasPrefix(room, to+"/"), floorOf(to) < floorOf(room):
		return ""
	default:
		return fmt.Sprintf("floor %d may not import floor %d", floorOf(room), floorOf(to))
	}
}

// floorOf is the floor of a room, 0 when it has none.
func floorOf(room string) int {
	for floor, rooms := range floors {
		if slices.Contains(rooms, room) {
			return floor
		}
	}
	return 0
}
