package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"phalops/internal/clock"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
)

// served is what the node says when it is up.
type served struct {
	URL string `json:"url"`
}

// serve is the node. It lives as long as its standard input.
func serve(ctx context.Context, t task, stdin io.Reader, say func(any) error) error {
	then := time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC) // for ever: the chain stands still, as a snapshot does
	w := world.New(then, 1)
	world.DefaultFleet(w, world.FleetOptions{Era: world.Era(t.Era), Crowd: t.Crowd})
	sim, err := simwire.Serve(ctx, simwire.NewFace(w, clock.NewVirtual(then)), simwire.Options{})
	if err != nil {
		return err
	}
	defer sim.Close()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: &node{chain: sim.Endpoints().Nodes[0].Para, latency: t.Latency, known: map[[32]byte][]byte{}}, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { err = server.Serve(l) })
	if err := say(served{"http://" + l.Addr().String()}); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, stdin)
	_ = server.Close()
	if serving.Wait(); errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// node passes on what the simulated chain replies, and keeps it: whoever asks for it again costs nearly nothing.
type node struct {
	chain   string // its address
	latency time.Duration

	mu    sync.Mutex
	known map[[32]byte][]byte // replies without their ids, by the hashes of requests without theirs
	asked asked
}

// asked is what storage was asked for since somebody looked last.
type asked struct {
	Sent []string `json:"sent"`
	New  int      `json:"new"` // requests, of any kind, whose replies were not known
}

// askedPath is where the node tells it, and forgets it.
const askedPath = "/asked"

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == askedPath {
		n.mu.Lock()
		defer n.mu.Unlock()
		_ = json.NewEncoder(w).Encode(n.asked)
		n.asked = asked{}
		return
	}
	due := time.Now().Add(n.latency)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the asker is gone
	}
	reply, err := n.reply(r.Context(), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if (clock.Real{}).Sleep(r.Context(), time.Until(due)) != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(reply.result)+len(reply.id)+1)) // as real nodes say it
	for _, part := range [][]byte{reply.result, reply.id, {'}'}} {
		_, _ = w.Write(part)
	}
}

// reply is everything before the id, which comes last, and the id.
type reply struct{ result, id []byte }

func (n *node) reply(ctx context.Context, body []byte) (reply, error) {
	from, to := idIn(body)
	if from == to {
		return reply{}, fmt.Errorf("no id in %.200q", body)
	}
	id := body[from:to]
	h := sha256.New()
	_, _ = h.Write(body[:from]) // never fails
	_, _ = h.Write(body[to:])
	question := [32]byte(h.Sum(nil))
	n.mu.Lock()
	if isStorage(body) {
		n.asked.Sent = append(n.asked.Sent, string(body))
	}
	result, known := n.known[question]
	n.mu.Unlock()
	if known {
		return reply{result, id}, nil
	}
	result, err := n.ask(ctx, body, id)
	if err != nil {
		return reply{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[question] = result
	n.asked.New++
	return reply{result, id}, nil
}

// isStorage knows the two requests that a snapshot consists of.
func isStorage(body []byte) bool {
	head := body[:min(len(body), 100)]
	return bytes.Contains(head, []byte(`"state_getKeysPaged"`)) || bytes.Contains(head, []byte(`"state_queryStorageAt"`))
}

// idIn is where the id stands in a request, one of the first things that clients write.
func idIn(body []byte) (from, to int) {
	const name = `"id":`
	from = bytes.Index(body[:min(len(body), 200)], []byte(name)) + len(name)
	for to = from; to < len(body) && body[to] >= '0' && body[to] <= '9'; to++ {
	}
	return from, to
}

// ask is the chain's own reply up to its id, which stands last.
func (n *node) ask(ctx context.Context, body, id []byte) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, n.chain, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	result, whole := bytes.CutSuffix(text, slices.Concat(id, []byte{'}'}))
	if !whole || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the chain answers %s %.200q", resp.Status, text)
	}
	return result, nil
}
