// Command conformance plays a file of vectors through the Go client.
//
//	conformance --address ADDRESS [--ca FILE --cert FILE --key FILE] FILE.json
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"authz.example/clients/go/authz"
)

// Thousands of questions on a busy machine are no test of deadlines.
const timeout = 10 * time.Second

type vector struct {
	ID      string          `json:"id"`
	Call    string          `json:"call"`
	Request json.RawMessage `json:"request"`
	Want    json.RawMessage `json:"want"`
}

// line is what became of a vector.
type line struct {
	ID   string `json:"id"`
	OK   bool   `json:"ok"`
	Told string `json:"told,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	address := flag.String("address", "", "unix:/path, or host:port")
	ca := flag.String("ca", "", "whom to trust, as PEM")
	certificate := flag.String("cert", "", "this client's certificate")
	key := flag.String("key", "", "its key")
	flag.Parse()
	if flag.NArg() != 1 {
		return errors.New("one file of vectors is needed")
	}
	vectors, err := read(flag.Arg(0))
	if err != nil {
		return err
	}
	options := []authz.Option{authz.WithTimeout(timeout)}
	if *ca != "" {
		options = append(options, authz.WithTLS(authz.TLS{CA: *ca, Certificate: *certificate, Key: *key}))
	}
	client, err := authz.Connect(*address, options...)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	output := json.NewEncoder(os.Stdout)
	for _, each := range vectors {
		told := play(client, each)
		if err := output.Encode(line{each.ID, told == "", told}); err != nil {
			return err
		}
	}
	return nil
}

func read(path string) ([]vector, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file.Vectors, nil
}

// play asks one question, and says what is wrong with what came; nothing when it is
// right.
func play(client *authz.Client, each vector) string {
	var asked request
	decoder := json.NewDecoder(bytes.NewReader(each.Request))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return "the vector cannot be read: " + err.Error()
	}
	answer, err := ask(context.Background(), client, each.Call, asked)
	came := row{"response": answer}
	if err != nil {
		if answer != nil {
			return "there is both an answer and an error"
		}
		came = row{"error": tellError(err)}
	}
	data, err := json.Marshal(came)
	if err != nil {
		return err.Error()
	}
	return difference(parsed(each.Want), parsed(data), "")
}

// parsed keeps numbers as they are written, since an id may be larger than a float.
func parsed(data []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err.Error()
	}
	return value
}
