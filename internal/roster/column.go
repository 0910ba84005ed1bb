package roster

import (
	"slices"
	"strings"

	"phalops/internal/fleet"
)

// column is what a cell of a table, or a key of a YAML mapping, means.
type column int

const (
	colUnknown column = iota
	colName
	colEndpoint
	colPID
	colStake
	colEnabled
	colDisabled // says the opposite of colEnabled
	colSyncOnly
	colBridge
	colOperator
	colProxied
	colLabels  // YAML: a mapping of labels
	colLabel   // a table: one label
	colReport  // what `worker list` and `pool list` show and nobody sets
	colBlank   // a table: a column without a header, which must be empty
	colRef     // what `worker list -o json` calls a worker: then its stake is in the smallest unit
	colPort    // a port of its own, which is not supported
	colSecret  // what must not stand in a list
	colPoolOff // a pool's enabled, which no generation heeds
	columns
)

// row is one line of a list, or one item of a YAML list, as it is written. An empty cell is not said.
type row struct {
	line   int
	cells  [columns]cell
	labels []label
	left   *int // how many texts the list's ranges may still make
}

type label struct {
	key   string
	value cell
}

// folded is a header as it is compared: headers are written in many ways.
func folded(header string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(" \t_-", c) {
			return -1
		}
		return c
	}, strings.ToLower(strings.TrimSpace(header)))
}

// workerColumn is what a header of a list of workers means.
func workerColumn(header string) column {
	switch folded(header) {
	case "name", "worker", "workername", "名称", "名字", "worker名称", "机器名", "矿机":
		return colName
	case "endpoint", "url", "ip", "ipaddress", "address", "addr", "host", "地址", "ip地址", "端点", "接口", "接口地址":
		return colEndpoint
	case "pid", "pool", "poolid", "池", "池号", "池子", "矿池", "质押池":
		return colPID
	case "stake", "质押", "质押量", "质押数量", "质押金额":
		return colStake
	case "enabled", "enable", "启用":
		return colEnabled
	case "disabled", "disable", "停用", "禁用":
		return colDisabled
	case "synconly", "仅同步", "只同步":
		return colSyncOnly
	case "bridge", "prb", "桥":
		return colBridge
	case "labels", "标签":
		return colLabels
	case "site", "id", "uuid", "condition", "state", "since", "height", "moved", "session", "message", "reason", "publickey", "version",
		"running", "relayheight", "movedat", "messageat", "v", "ve", "pinstant", "answered", "silent", "decision",
		"站点", "状况", "状态", "已持续", "高度", "上次增长", "链上会话", "消息", "理由":
		return colReport
	case "ref":
		return colRef
	case "port", "端口":
		return colPort
	}
	if isSecret(header) {
		return colSecret
	}
	return colUnknown
}

// poolColumn is what a header of a list of pools means.
func poolColumn(header string) column {
	switch folded(header) {
	case "pid", "pool", "poolid", "池", "池号", "池子", "矿池", "质押池":
		return colPID
	case "name", "名称", "名字":
		return colName
	case "operator", "operatorref", "操作员", "操作账户", "操作账号":
		return colOperator
	case "proxied", "realphalass58", "proxiedaccount", "代理", "被代理账户", "池主", "池主地址":
		return colProxied
	case "synconly", "仅同步", "只同步":
		return colSyncOnly
	case "bridge", "prb", "桥":
		return colBridge
	case "enabled", "enable", "disabled", "disable", "启用", "停用", "禁用":
		return colPoolOff
	case "site", "id", "uuid", "workers", "account", "站点", "账户":
		return colReport
	}
	if isSecret(header) {
		return colSecret
	}
	return colUnknown
}

// isSecret reports whether a header announces what must not stand in a list.
func isSecret(header string) bool {
	return slices.ContainsFunc([]string{"mnemonic", "seed", "secret", "password", "privatekey", "助记词", "种子", "私钥", "密码"}, func(s string) bool {
		return strings.Contains(folded(header), s)
	})
}

// dialect is what tells a list of workers from a list of pools.
type dialect struct {
	top      string                                     // YAML: the key that the list may stand under
	keys     []string                                   // names of columns, as people are told them
	column   func(header string) column                 // colUnknown: nobody knows
	line     func(text string) (*row, *mistake)         // reads a line that is no row of a table
	needs    []column                                   // a table without any of them is none
	needed   func() fleet.Reason                        // says so
	labelled bool                                       // an unknown header is a label
	excerpt  func(line string) string                   // quotes a line
	guard    func(fleet.Reason) fleet.Reason            // nil: reasons are said as they are
	accept   func(r *row) (problem *mistake, full bool) // takes a row that could be read; full ends the reading
}

func workerKeys() []string {
	return []string{"name", "endpoint", "pid", "stake", "enabled", "sync_only", "bridge", "labels"}
}

func poolKeys() []string {
	return []string{"pid", "name", "operator", "proxied", "sync_only", "bridge"}
}

// judge says what is wrong with a header for itself; zero: nothing.
func (d dialect) judge(header string, c column) fleet.Reason {
	switch {
	case c == colPort:
		return fleet.Because("roster.port_column")
	case c == colSecret:
		return fleet.Because("roster.secret_column")
	case c == colPoolOff:
		return fleet.Because("roster.pool_enabled")
	case c != colUnknown:
		return fleet.Reason{}
	}
	switch near := nearest(folded(header), d.keys); {
	case near != "" && d.labelled:
		return fleet.Because("roster.column_or_label", "value", show(header), "near", near)
	case !d.labelled:
		return d.unknownKey(header)
	}
	return fleet.Reason{}
}

// unknownKey says what could be meant by a word that is no column.
func (d dialect) unknownKey(header string) fleet.Reason {
	if near := nearest(folded(header), d.keys); near != "" {
		return fleet.Because("roster.column_near", "value", show(header), "near", near)
	}
	if d.labelled {
		return fleet.Because("roster.key_or_label", "value", show(header), "keys", strings.Join(d.keys, ", "))
	}
	return fleet.Because("roster.column", "value", show(header), "keys", strings.Join(d.keys, ", "))
}
