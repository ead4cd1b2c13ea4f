package icwsapi

// TypeWorkgroupActivation is the __type of a WorkgroupActivationMessage.
const TypeWorkgroupActivation = "urn:inin.com:activations:workgroupActivationMessage"

// WorkgroupActivationSet is the mirror image of UserActivationSet: the keys are user ids.
type WorkgroupActivationSet struct {
	WorkgroupID string          `json:"workgroupId"`
	Activations map[string]bool `json:"activations"`
}

// WorkgroupActivationSets is the body of GET .../activations/workgroups?select=.
type WorkgroupActivationSets struct {
	WorkgroupActivationSetList []WorkgroupActivationSet `json:"workgroupActivationSetList"`
}

// WorkgroupActivationSubscription is the body of PUT .../subscriptions/activations/workgroups/{subId}.
// "*" stands for all members.
type WorkgroupActivationSubscription struct {
	WorkgroupID string   `json:"workgroupId"`
	UserIDs     []string `json:"userIds"`
}

// WorkgroupActivationMessage says which activations of a workgroup's members changed.
type WorkgroupActivationMessage struct {
	Head
	SubscriptionID     string          `json:"subscriptionId"`
	WorkgroupID        string          `json:"workgroupId"`
	ActivationsChanged map[string]bool `json:"activationsChanged"`
}
