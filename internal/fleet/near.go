package fleet

import "strings"

// longName is where names stop being compared: anything longer is simply far.
const longName = 40

// Distance counts the letters that must be put in, left out, changed or swapped with their neighbour to make one name into
// another, whatever their case: for "did you mean". Names of more than 40 bytes are further apart than any two short ones.
func Distance(one, other string) int {
	if len(one) > longName || len(other) > longName {
		return 2 * longName
	}
	a, b := []rune(strings.ToLower(one)), []rune(strings.ToLower(other))
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
