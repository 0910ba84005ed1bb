// Package fleet holds the nouns of phalops: what an operator owns (sites, nodes, bridges, workers), what was seen of it
// (statuses and facts), and the records of what was thought and done about it (decisions, incidents, plans, events).
//
// It imports nothing of phalops and speaks no human language: everything that a person will read is a Reason, a stable
// code with arguments, which package i18n turns into text at the edge.
package fleet
