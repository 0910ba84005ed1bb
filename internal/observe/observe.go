// Package observe asks the fleet and turns foreign formats into the words of package fleet. It only reads, passes on what
// changed, and never judges.
package observe
