package authz

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Retry says how often and when a call is made again. Every call of the API only reads,
// so that a second one does no harm. Only ErrUnavailable is tried again: for anything
// else the same question gets the same answer, or adds to what is too much already.
type Retry struct {
	// Attempts counts the first one too; 1 means that none is repeated.
	Attempts int
	// FirstWait is the longest wait before the first repetition. It doubles with each
	// one; the wait is random between half and all of it.
	FirstWait time.Duration
	// LongestWait bounds what FirstWait doubles to.
	LongestWait time.Duration
	// Budget bounds the repetitions of all calls together while a server is away. Each
	// takes one of it.
	Budget float64
	// Earned is what a call that succeeds gives back to the budget.
	Earned float64
}

// DefaultRetry is what a client uses when nothing else is said.
func DefaultRetry() Retry {
	return Retry{
		Attempts:    4,
		FirstWait:   20 * time.Millisecond,
		LongestWait: 500 * time.Millisecond,
		Budget:      20,
		Earned:      0.1,
	}
}

// wait is how long to wait before the repetition of this number, from 1.
func (r Retry) wait(number int) time.Duration {
	most := min(r.FirstWait<<min(number-1, 30), r.LongestWait)
	if most < r.FirstWait>>1 { // the doubling went over the end of the type
		most = r.LongestWait
	}
	return time.Duration(float64(most) * (0.5 + rand.Float64()/2))
}

// budget is what is left for repetitions, of all calls of one client.
type budget struct {
	retry Retry
	mutex sync.Mutex
	left  float64
}

func newBudget(retry Retry) *budget { return &budget{retry: retry, left: retry.Budget} }

func (b *budget) earn() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.left = min(b.left+b.retry.Earned, b.retry.Budget)
}

func (b *budget) spend() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// attempts are those of one call until its deadline.
type attempts struct {
	budget   *budget
	deadline time.Time
	number   int
}

// waitAfter is how long to wait before the next attempt, if there is to be one.
func (a *attempts) waitAfter(err error, now time.Time) (time.Duration, bool) {
	a.number++
	wait := a.budget.retry.wait(a.number)
	again := errors.Is(err, ErrUnavailable) &&
		a.number < a.budget.retry.Attempts &&
		now.Add(wait).Before(a.deadline) &&
		a.budget.spend()
	return wait, again
}
