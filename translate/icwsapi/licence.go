package icwsapi

// TypeLicense is the __type of a LicenseMessage.
const TypeLicense = "urn:inin.com:licenses:licenseMessage"

// States of a licence that was asked for.
const (
	LicenseUnknownError                        = 0
	LicenseNone                                = 1
	LicenseAvailable                           = 2
	LicenseNotAssigned                         = 3
	LicenseUnavailable                         = 4
	LicenseUserOnAnotherStation                = 5
	LicenseStationAlreadyInUseOnAnotherMachine = 6
	LicenseStationAlreadyInUseByAnotherUser    = 7
	LicenseOtherApplicationUsingLicense        = 8
	LicenseUnknown                             = 9
)

// LicenseList is the body of requests to .../licenses and of the licence subscription.
type LicenseList struct {
	LicenseList []string `json:"licenseList"`
}

// LicenseOperationResult is the outcome for one licence.
type LicenseOperationResult struct {
	LicenseName   string `json:"licenseName"`
	IsAvailable   bool   `json:"isAvailable"`
	ErrorDetails  string `json:"errorDetails"`
	LicenseStatus int    `json:"licenseStatus"`
}

// LicenseOperationResults answers a request to .../licenses.
type LicenseOperationResults struct {
	LicenseOperationResultList []LicenseOperationResult `json:"licenseOperationResultList"`
}

// LicenseAssignedStatus says whether the session holds a licence.
type LicenseAssignedStatus struct {
	Name       string `json:"name"`
	IsAssigned bool   `json:"isAssigned"`
}

// LicenseMessage tells of the licences subscribed to.
type LicenseMessage struct {
	Head
	LicenseAssignedStatusList []LicenseAssignedStatus `json:"licenseAssignedStatusList"`
}
