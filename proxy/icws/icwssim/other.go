package icwssim

import (
	"fmt"
	"net/http"
	"slices"

	"portico/translate/icwsapi"
)

// What follows is accepted because clients ask for it, and answered with what is true of this
// server: no interactions, no handlers.

// queueTypes are the system, a user, a workgroup and a station.
var queueTypes = []string{"0", "1", "2", "3"}

// subscribeQueue answers PUT .../subscriptions/queues/{subId}: the queue is empty and stays so.
//
// Source: a Mac client, which sends the type as a string.
func subscribeQueue(_ *Server, c *call) reply {
	var asked struct {
		QueueIDs []struct {
			QueueType any     `json:"queueType"`
			QueueName *string `json:"queueName"`
		} `json:"queueIds"`
	}
	refusal, refused := decode(c.body, &asked, "queueIds")
	if refused {
		return refusal
	}
	for _, id := range asked.QueueIDs {
		if id.QueueName == nil || !slices.Contains(queueTypes, fmt.Sprint(id.QueueType)) {
			return invalidProperty("queueIds", "Each of queueIds has a queueType from 0 to 3 and a queueName.")
		}
	}
	c.session.send(icwsapi.QueueContentsMessage{
		Head: icwsapi.Head{Type: icwsapi.TypeQueueContents}, SubscriptionID: c.params["subId"],
		InteractionsAdded: []icwsapi.Interaction{}, InteractionsChanged: []icwsapi.Interaction{}, InteractionsRemoved: []string{},
	})
	return empty(http.StatusOK)
}

func unsubscribeQueue(*Server, *call) reply { return empty(http.StatusNoContent) }

// postInteraction answers POST .../interactions, which begins a call: not here. Guess: 400, and that a call is what
// needs a station.
//
// Source: ICWS reference (error.request.noStation); a Ruby client (error.request.unsupported).
func postInteraction(_ *Server, c *call) reply {
	if c.session.station == nil || c.session.station.ID == stationless {
		return refuse(http.StatusBadRequest, icwsapi.Error{
			ErrorID: icwsapi.ErrorNoStation, Message: "The session is not logged on to a station.",
		})
	}
	return refuse(http.StatusBadRequest, icwsapi.Error{ErrorID: icwsapi.ErrorUnsupported, Message: "The request is not supported."})
}

// subscribeHandlerNotifications answers PUT .../subscriptions/system/handler-sent-notifications.
func subscribeHandlerNotifications(_ *Server, c *call) reply {
	var asked struct {
		Headers []struct {
			ObjectID string   `json:"objectId"`
			EventIDs []string `json:"eventIds"`
		} `json:"headers"`
	}
	refusal, refused := decode(c.body, &asked, "headers")
	if refused {
		return refusal
	}
	for _, header := range asked.Headers {
		if header.ObjectID == "" || header.EventIDs == nil {
			return invalidProperty("headers", "Each of headers has an objectId and eventIds.")
		}
	}
	return empty(http.StatusNoContent)
}

func unsubscribeNothing(*Server, *call) reply { return empty(http.StatusOK) }
