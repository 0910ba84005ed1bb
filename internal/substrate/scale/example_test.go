package scale

import (
	"encoding/hex"
	"fmt"
)

func Example() {
	// A runtime with one struct and one plain item of it; real metadata comes from state_getMetadata.
	md, err := Parse(small(
		composite(named("owner", 1), named("total_stake", 2), named("workers", 3)),
		at(array(32, 4), "sp_core", "crypto", "AccountId32"), prim("u128"), list(5), prim("u8"), prim("u32"),
	))
	if err != nil {
		fmt.Println(err)
		return
	}
	pool, err := md.Entry("P", "0")
	if err != nil {
		fmt.Println(err)
		return
	}
	value, _ := hex.DecodeString("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d" + "00a0724e180900000000000000000000" + "08" + "0700000009000000")

	text, err := pool.Value.AppendJSON(nil, value)
	fmt.Println(string(text), err)

	read, err := Bind[struct {
		TotalStake U128
		Workers    []uint32
	}](pool.Value)
	if err != nil {
		fmt.Println(err)
		return
	}
	var p struct {
		TotalStake U128
		Workers    []uint32
	}
	err = read(value, &p)
	fmt.Println(p.TotalStake, p.Workers, err)
	// Output:
	// {"owner":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY","total_stake":"10000000000000","workers":[7,9]} <nil>
	// 10000000000000 [7 9] <nil>
}

func ExampleAddress() {
	_, account, err := ParseAddress("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY") // of any network
	fmt.Println(Address(30, account), err)
	// Output: 45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2 <nil>
}
