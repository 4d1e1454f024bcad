// Package authz asks authz-sidecar, and fails closed: no error and no answer reads as
// allowed.
//
//	client, err := authz.Connect("unix:authz.sock")
//	answer, err := client.CheckVisible(ctx, authz.User("2"), authz.Resources("cluster", "7"))
//	if err == nil {
//		err = answer.Require()
//	}
//
// A method returns either an answer or an error. Without an answer the pointer is nil,
// and whatever a nil answer or a zero value is asked, it says no.
package authz
