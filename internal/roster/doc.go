// Package roster reads and writes lists of workers and pools as people write them, and decides where each worker goes.
// Everything in it is pure but for reading the one io.Reader that it is given.
package roster
