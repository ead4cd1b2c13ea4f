package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// A socket is a second page of an agent, which has a websocket.
type socket struct {
	conn     *websocket.Conn
	clientID string
}

// openSocket opens a websocket for the agent and makes it a client of CometD.
func (a *agent) openSocket(ctx context.Context) (*socket, error) {
	session, _, _ := strings.Cut(a.cookies, "; ") // it is another page's browser cookie that follows
	conn, _, err := websocket.Dial(ctx, "ws://"+a.portico+pathNotifications, &websocket.DialOptions{
		HTTPHeader: http.Header{"Cookie": {session}, "Origin": {"http://" + a.portico}}})
	if err != nil {
		return nil, fmt.Errorf("websocket of %s: %w", a.name, err)
	}
	k := &socket{conn: conn}
	body, err := k.do(ctx, fmt.Sprintf(handshake, "websocket"))
	if err != nil {
		return nil, err
	}
	k.clientID, err = clientIDOf(body)
	if err != nil {
		return nil, err
	}
	for _, message := range []string{fmt.Sprintf(subscribe, k.clientID), fmt.Sprintf(atOnce, "websocket", k.clientID)} {
		body, err = k.do(ctx, message)
		err = successful(body, err)
		if err != nil {
			return nil, fmt.Errorf("subscribe %s by websocket: %w", a.name, err)
		}
	}
	return k, nil
}

// do sends a message and returns what comes back.
func (k *socket) do(ctx context.Context, message string) ([]byte, error) {
	err := k.conn.Write(ctx, websocket.MessageText, []byte(message))
	if err != nil {
		return nil, err
	}
	_, body, err := k.conn.Read(ctx)
	return body, err
}

// hold holds a connect, and the next one after each that is answered, until ctx ends, and then closes the
// socket.
func (k *socket) hold(ctx context.Context) error {
	defer k.conn.CloseNow()
	message := fmt.Sprintf(connect, "websocket", k.clientID)
	for {
		_, err := k.do(ctx, message)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
